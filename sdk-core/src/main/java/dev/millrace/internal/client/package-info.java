/**
 * From definitions to the Kafka clients' own settings, and the first contact with the brokers. Not
 * API.
 */
@NullMarked
package dev.millrace.internal.client;

import org.jspecify.annotations.NullMarked;

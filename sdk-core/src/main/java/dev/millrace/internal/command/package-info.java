/** The way from any thread to the poll thread, and the poll that it may cut short. Not API. */
@NullMarked
package dev.millrace.internal.command;

import org.jspecify.annotations.NullMarked;

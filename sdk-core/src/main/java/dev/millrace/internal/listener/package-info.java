/** Tells the service's listener what happens, and when there is nothing to do. Not API. */
@NullMarked
package dev.millrace.internal.listener;

import org.jspecify.annotations.NullMarked;

/** Which keys have records in retry topics that may not have ended. Not API. */
@NullMarked
package dev.millrace.internal.keys;

import org.jspecify.annotations.NullMarked;

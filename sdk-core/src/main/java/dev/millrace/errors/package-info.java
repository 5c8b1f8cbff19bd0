/** What Millrace throws. */
@NullMarked
package dev.millrace.errors;

import org.jspecify.annotations.NullMarked;

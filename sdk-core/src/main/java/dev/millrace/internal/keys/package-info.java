/** Has later records of a key follow one that is in a retry topic. Not API. */
@NullMarked
package dev.millrace.internal.keys;

import org.jspecify.annotations.NullMarked;

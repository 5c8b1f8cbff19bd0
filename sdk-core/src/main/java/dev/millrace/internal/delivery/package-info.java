/** What a worker does with one record: decode, handle, recover. Not API. */
@NullMarked
package dev.millrace.internal.delivery;

import org.jspecify.annotations.NullMarked;

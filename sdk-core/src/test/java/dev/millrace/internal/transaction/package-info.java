@NullMarked
package dev.millrace.internal.transaction;

import org.jspecify.annotations.NullMarked;

@NullMarked
package dev.millrace.serialization;

import org.jspecify.annotations.NullMarked;

@NullMarked
package dev.millrace.testkit.proxy;

import org.jspecify.annotations.NullMarked;

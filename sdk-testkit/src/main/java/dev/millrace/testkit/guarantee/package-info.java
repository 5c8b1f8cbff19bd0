/** What must hold, checked against what happened; a check without evidence never passes. */
@NullMarked
package dev.millrace.testkit.guarantee;

import org.jspecify.annotations.NullMarked;

/** The quickstart: many orders through one concurrent consumer, with every promise checked. */
@NullMarked
package dev.millrace.examples.quickstart;

import org.jspecify.annotations.NullMarked;

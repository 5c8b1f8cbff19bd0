package dev.millrace.testkit.fault;

/** What a plan may draw. */
record FaultKind(String name, int weight, Targets targets, Span lasts) {}

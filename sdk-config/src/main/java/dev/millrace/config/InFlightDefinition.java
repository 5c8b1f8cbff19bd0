package dev.millrace.config;

/**
 * How much a producer may have on its way: sent, and neither acknowledged nor failed.
 *
 * @param maxRecords the most records; 0 for no limit, at most 10,000,000
 * @param maxBytes the most bytes of their keys, values and headers; 0 for no limit, at most 1024 GB
 * @param whenFull what becomes of a send that does not fit
 */
public record InFlightDefinition(int maxRecords, long maxBytes, WhenFull whenFull) {}

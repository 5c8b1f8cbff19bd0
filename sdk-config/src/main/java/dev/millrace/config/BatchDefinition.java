package dev.millrace.config;

import java.time.Duration;

/**
 * How records are put together for a handler of batches; a handler of single records does not look
 * at it.
 *
 * @param maxRecords the most records of one batch; 1 to 1,000,000
 * @param maxWait how long after its first record was polled a batch waits for more, if it is not
 *     full before; 0 (what is there at once) to 1 min
 */
public record BatchDefinition(int maxRecords, Duration maxWait) {}

package dev.millrace.config;

import org.jspecify.annotations.Nullable;

/**
 * Where a record goes whose attempts are used up.
 *
 * @param topic the topic; null means <code>{topic}.{group}.dlq</code> of the record's own topic
 * @param createTopic whether a missing dead-letter topic is created when the consumer starts
 * @param oversize what becomes of one that the topic has no room for
 */
public record DeadLetterDefinition(
    @Nullable String topic, boolean createTopic, Oversize oversize) {}

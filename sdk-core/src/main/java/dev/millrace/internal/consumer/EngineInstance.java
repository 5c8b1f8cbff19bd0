package dev.millrace.internal.consumer;

/**
 * One Kafka consumer of a definition, which has a single one or several.
 *
 * @param name in thread names and logs
 * @param pollThread its life
 */
record EngineInstance(String name, Engine engine, Thread pollThread) {}

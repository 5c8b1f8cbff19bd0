package dev.millrace.internal.channel;

import org.apache.kafka.common.TopicPartition;

/**
 * What a record has been through in the topics that it was in before. Immutable.
 *
 * @param level the retry topic that it was read from, from 1
 * @param readFrom that topic's partition
 * @param attempts how many attempts it has had elsewhere
 * @param firstFailure when the first of them failed, in milliseconds since the epoch; -1 when that
 *     is not known
 */
public record History(int level, TopicPartition readFrom, int attempts, long firstFailure) {}

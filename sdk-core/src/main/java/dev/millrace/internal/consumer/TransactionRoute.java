package dev.millrace.internal.consumer;

import dev.millrace.internal.transaction.Transactions;
import java.util.List;
import org.apache.kafka.common.serialization.Serializer;

/**
 * The way of what an exactly-once consumer's handlers send.
 *
 * @param transactions those of each slice
 * @param serializer of the values that handlers send
 */
record TransactionRoute(List<? extends Transactions> transactions, Serializer<Object> serializer) {}

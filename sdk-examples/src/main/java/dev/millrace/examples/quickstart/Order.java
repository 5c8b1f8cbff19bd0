package dev.millrace.examples.quickstart;

/**
 * What is sent and handled.
 *
 * @param customer the record's key: a customer's orders are handled in their order
 * @param sequence which of the customer's orders this is, from 0
 */
record Order(String customer, int sequence) {}

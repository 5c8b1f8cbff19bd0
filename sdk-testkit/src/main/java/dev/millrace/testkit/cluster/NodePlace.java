package dev.millrace.testkit.cluster;

import java.nio.file.Path;

/** Where one node lives: fixed for its life, whatever stops and starts in between. */
record NodePlace(int id, int brokerPort, int controllerPort, Path directory) {}

package dev.millrace.testkit.junit;

import dev.millrace.testkit.TestKitException;
import dev.millrace.testkit.internal.Answer;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Deletes the groups a test has left, of whatever type. */
final class GroupSweep {
  private static final Logger LOG = LoggerFactory.getLogger(GroupSweep.class);

  private GroupSweep() {}

  static void deleteGroups(Admin admin, String mark) {
    Map<GroupType, List<String>> mine =
        Answer.to("list groups", admin.listGroups().all()).stream()
            .filter(group -> group.groupId().contains(mark))
            .collect(
                Collectors.groupingBy(
                    group -> group.type().orElse(GroupType.CLASSIC),
                    Collectors.mapping(GroupListing::groupId, Collectors.toList())));
    Map<String, KafkaFuture<Void>> answers = new HashMap<>();
    mine.forEach((type, ids) -> answers.putAll(delete(admin, type, ids)));
    answers.forEach(GroupSweep::await);
  }

  private static Map<String, KafkaFuture<Void>> delete(
      Admin admin, GroupType type, Collection<String> ids) {
    return switch (type) {
      case SHARE -> admin.deleteShareGroups(ids).deletedGroups();
      case STREAMS -> admin.deleteStreamsGroups(ids).deletedGroups();
      default -> admin.deleteConsumerGroups(ids).deletedGroups();
    };
  }

  private static void await(String id, KafkaFuture<Void> answer) {
    try {
      Answer.to("delete group " + id, answer);
    } catch (TestKitException e) {
      if (e.getCause() instanceof GroupNotEmptyException) {
        LOG.warn("Group {} is left behind: a consumer of its test is still a member", id);
      } else if (!(e.getCause() instanceof GroupIdNotFoundException)) {
        throw e;
      }
    }
  }
}

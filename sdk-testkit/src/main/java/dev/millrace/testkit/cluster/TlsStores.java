package dev.millrace.testkit.cluster;

import dev.millrace.testkit.TestKitException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.util.Map;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.security.scram.internals.ScramFormatter;

/**
 * A self-signed certificate for this machine's loopback address: with its key for the brokers,
 * without for their clients.
 */
record TlsStores(Path keyStore, Path trustStore, Password password) {
  private static final String TYPE = "PKCS12";
  private static final String ALIAS = "kafka";
  private static final String PASSWORD_VARIABLE = "MILLRACE_STORE_PASSWORD";

  /**
   * Makes both in a directory.
   *
   * @throws TestKitException if this JDK has no keytool or it fails
   */
  static TlsStores create(Path directory) {
    String password = ScramFormatter.secureRandomString(new SecureRandom());
    Path keyStore = directory.resolve("broker.p12");
    Path trustStore = directory.resolve("client-trust.p12");
    try {
      generate(keyStore, password);
      trust(keyStore, trustStore, password.toCharArray());
    } catch (IOException | GeneralSecurityException e) {
      throw new TestKitException("Cannot make a certificate for the brokers", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TestKitException("Interrupted while making a certificate for the brokers", e);
    }
    return new TlsStores(keyStore, trustStore, new Password(password));
  }

  Map<String, String> brokerProperties(String listenerPrefix) {
    return Map.of(
        listenerPrefix + "ssl.keystore.location",
        keyStore.toString(),
        listenerPrefix + "ssl.keystore.type",
        TYPE,
        listenerPrefix + "ssl.keystore.password",
        password.value(),
        listenerPrefix + "ssl.key.password",
        password.value());
  }

  Map<String, Object> clientSettings() {
    return Map.of(
        "ssl.truststore.location",
        trustStore.toString(),
        "ssl.truststore.type",
        TYPE,
        "ssl.truststore.password",
        password);
  }

  /** The password goes by the environment: a command line is there for everybody to read. */
  private static void generate(Path keyStore, String password)
      throws IOException, InterruptedException {
    Path keytool = Path.of(System.getProperty("java.home"), "bin", "keytool");
    ProcessBuilder builder =
        new ProcessBuilder(
                keytool.toString(),
                "-genkeypair",
                "-alias",
                ALIAS,
                "-keyalg",
                "EC",
                "-groupname",
                "secp256r1",
                "-validity",
                "30",
                "-startdate",
                "-1d",
                "-dname",
                "CN=localhost",
                "-ext",
                "SAN=dns:localhost,ip:" + ReservedPort.HOST,
                "-storetype",
                TYPE,
                "-keystore",
                keyStore.toString(),
                "-storepass:env",
                PASSWORD_VARIABLE)
            .redirectErrorStream(true);
    builder.environment().put(PASSWORD_VARIABLE, password);
    Process process = builder.start();
    process.getOutputStream().close();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException(
          "%s ended with status %d: %s".formatted(keytool, process.exitValue(), said));
    }
  }

  private static void trust(Path keyStore, Path trustStore, char[] password)
      throws IOException, GeneralSecurityException {
    KeyStore own = KeyStore.getInstance(TYPE);
    try (InputStream in = Files.newInputStream(keyStore)) {
      own.load(in, password);
    }
    KeyStore trusted = KeyStore.getInstance(TYPE);
    trusted.load(null, null);
    trusted.setCertificateEntry(ALIAS, own.getCertificate(ALIAS));
    try (OutputStream out = Files.newOutputStream(trustStore)) {
      trusted.store(out, password);
    }
  }
}

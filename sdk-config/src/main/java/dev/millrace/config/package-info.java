/**
 * Definitions of producers and consumers as immutable records, and the loader that reads them from
 * YAML or JSON. {@link dev.millrace.config.ConfigLoader} shows the steps; each is a few small
 * classes:
 *
 * <ol>
 *   <li>read: TextFile, Source, NodeReader, SyntaxError make Nodes, each with its Place
 *   <li>placeholders: Placeholders fills them in
 *   <li>defaults: Shape and KnownKeys bring keys to one spelling, Layers merges
 *   <li>decode: Decoder, Fields, ScalarType, Units make the records; Defaults holds what is absent
 *   <li>validate: Validator, ClientSettingRules, SettingNames look at what relates two values
 * </ol>
 *
 * Whatever is wrong goes to Problems, and all of it comes out at once as a {@link
 * dev.millrace.config.ConfigException}.
 */
@NullMarked
package dev.millrace.config;

import org.jspecify.annotations.NullMarked;

import { test } from 'tap';
import { topicOf } from './topic.ts';

void test('the topic is the format', async (t) => {
  t.same(topicOf({ format: 'journal', destination: undefined }), { name: 'journal' });
});

void test('records that were meant for another destination have a dead-letter topic for it', async (t) => {
  t.same(topicOf({ format: 'journal', destination: 'log-a' }), { name: 'dead-letter.log-a.journal' });
});

void test('no name leads out of the directory, is hidden or holds a byte that is not for names', async (t) => {
  for (const name of ['..', '../x', 'a/b', '/etc/passwd', '.hidden', '', 'a\0b', 'a b', 'a\nb', 'ä', 'x..y']) {
    t.same(
      topicOf({ format: name, destination: undefined }),
      { refused: 'topic_name_invalid' },
      `format ${JSON.stringify(name)}`,
    );
    t.same(
      topicOf({ format: 'app', destination: name }),
      { refused: 'topic_name_invalid' },
      `destination ${JSON.stringify(name)}`,
    );
  }
});

void test('a name that is too long for a file is refused and does not fail for ever', async (t) => {
  const long = 'x'.repeat(128);
  t.same(topicOf({ format: long, destination: undefined }), { name: long });
  t.same(topicOf({ format: long, destination: long }), { refused: 'topic_name_too_long' });
});

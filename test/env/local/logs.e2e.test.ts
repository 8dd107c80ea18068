/** The logs of a shop tell of the starts before, and do not grow with each for ever. */
import { chmod, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { logFile, prepareFolder, redisFolder } from '../../../env/local/data-folder.ts'
import { PartError } from '../../../env/local/managed-process.ts'
import { makeFolder } from '../../support/folder.ts'
import { openPart } from '../../support/parts.ts'

const MIB = 1_048_576

test('a start goes on with the log of before', async (t) => {
  const dir = await makeFolder(t)
  await prepareFolder(dir, ['part'])
  t.is((await stat(logFile(dir, 'part'))).mode & 0o777, 0o600)
  await writeFile(logFile(dir, 'part'), 'what was said before\n')
  await prepareFolder(dir, ['part'])
  t.is(await readFile(logFile(dir, 'part'), 'utf8'), 'what was said before\n')
})

test('nobody else looks at what is kept, also in a folder that others may look into', async (t) => {
  const dir = await makeFolder(t)
  await chmod(dir, 0o755)
  await prepareFolder(dir, ['part'])
  for (const folder of [join(dir, 'logs'), join(dir, 'redis'), redisFolder(dir, 'order')])
    t.is((await stat(folder)).mode & 0o777, 0o700, folder)
})

test('a log that has become too long is put aside, and the one before it goes', async (t) => {
  const dir = await makeFolder(t)
  await prepareFolder(dir, ['part'])
  const file = logFile(dir, 'part')
  for (const bytes of [20 * MIB, 30 * MIB]) {
    await writeFile(file, '')
    await truncate(file, bytes)
    await prepareFolder(dir, ['part'])
    t.is((await stat(join(dir, 'logs', 'part.1.log'))).size, bytes)
    await t.throwsAsync(stat(file), { code: 'ENOENT' }, 'the part makes it anew')
  }
})

test('a start that fails shows its own words, not those of a start before', async (t) => {
  const dir = await makeFolder(t)
  await prepareFolder(dir, ['part'])
  await writeFile(logFile(dir, 'part'), 'port 1 is in use by another program\n')
  const part = openPart({
    command: ['/bin/sh', '-c', 'echo "it has no mood"; exit 3'],
    cwd: dir,
    logFile: logFile(dir, 'part'),
    readyBy: 'message',
  })
  const error = await t.throwsAsync(part.start(), { instanceOf: PartError })
  t.is(error.message, 'part exited with code 3 before it was ready; the end of its log:\nit has no mood')
  t.is(await part.tail(), 'port 1 is in use by another program\nit has no mood')
})

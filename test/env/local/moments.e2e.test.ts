import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { AOF_FOLDER, appendedFile } from '../../../env/local/append-only-file.ts'
import { openMoments } from '../../../env/local/moments.ts'
import { makeFolder } from '../../support/folder.ts'

const folderWith = async (t: ExecutionContext, manifest: string): Promise<string> => {
  const dir = await makeFolder(t)
  await mkdir(join(dir, AOF_FOLDER))
  await writeFile(join(dir, AOF_FOLDER, 'appendonly.aof.manifest'), manifest)
  return dir
}

const MANIFESTS = {
  'Redis 7': ['type b', 'type i', 'type i'],
  'Redis 8, and after an orderly stop': ['type b', 'type i startoffset 0 endoffset 81', 'type i startoffset 81'],
}
for (const [engine, [base, first, second]] of Object.entries(MANIFESTS))
  test(`the file that is written to is found as it is named by ${engine}`, async (t) => {
    const lines = [
      `file appendonly.aof.2.base.rdb seq 2 ${base}`,
      `file appendonly.aof.2.incr.aof seq 2 ${first}`,
      `file appendonly.aof.3.incr.aof seq 3 ${second}`,
    ]
    const dir = await folderWith(t, `${lines.join('\n')}\n`)
    t.is(await appendedFile(dir), join(dir, AOF_FOLDER, 'appendonly.aof.3.incr.aof'))
  })

test('a folder that cannot be understood keeps a Redis from being set back, and does nothing else', async (t) => {
  const dir = await folderWith(t, 'nothing that a Redis has written\n')
  const { promise: said, resolve: say } = Promise.withResolvers<string>()
  const untouched = (): Promise<void> => Promise.reject(new Error('it is not to be touched'))
  const redis = { dir, start: untouched, stop: untouched }
  const moments = openMoments([redis], say)
  t.teardown(moments.stop)
  // It keeps no process from ending.
  const awake = setInterval(() => undefined, 1_000)
  t.teardown(() => clearInterval(awake))
  t.is(await said, `no Redis can be set back any more: ${dir} has no append-only file`)
  await t.throwsAsync(moments.setBack(redis), { message: `${dir} has no append-only file` })
})

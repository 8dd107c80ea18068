/** A folder for one test, which goes with it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'

export const makeFolder = async (t: ExecutionContext): Promise<string> => {
  const dir = await mkdtemp(join(tmpdir(), 'shop-test-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  return dir
}

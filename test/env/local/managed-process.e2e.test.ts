import { unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { makeFolder } from '../../support/folder.ts'
import { listener, openPart } from '../../support/parts.ts'

const READY = "console.log('here'); setInterval(() => undefined, 1_000)"

/** A part that only says that it is ready, and is started again, and what is told of it. */
const openReady = async (t: ExecutionContext, environment: NodeJS.ProcessEnv) => {
  const dir = await makeFolder(t)
  const logFile = join(dir, 'log')
  await writeFile(logFile, '')
  const { onEvent, next } = listener()
  const part = openPart({
    command: [process.execPath, '--eval', READY],
    cwd: dir,
    environment,
    logFile,
    readyBy: /here/,
    restart: true,
    tell: onEvent,
  })
  t.teardown(part.stop)
  return { part, next, logFile }
}

test('a part that the system cannot start is tried again until it can', async (t) => {
  const environment = { ...process.env }
  const { part, next } = await openReady(t, environment)
  await part.start()
  const [died, unable] = [next('died'), Promise.withResolvers<{ readonly how: string }>()]
  environment.IMPOSSIBLE = 'no\0variable'
  void died.then(() => next('died')).then(unable.resolve)
  await part.kill()
  t.like(await died, { how: 'was ended by SIGKILL' })
  t.like(await unable.promise, { how: 'exited with code 127', restartMs: 500 })
  const back = next('ready')
  delete environment.IMPOSSIBLE
  await back
  t.is(part.state, 'up')
})

test('a part whose log is gone or cannot be read comes back', async (t) => {
  const { part, next, logFile } = await openReady(t, process.env)
  await part.start()
  await unlink(logFile)
  const [died, back] = [next('died'), next('ready')]
  await part.kill()
  t.like(await died, { tail: `(the log cannot be read: ENOENT: no such file or directory, open '${logFile}')` })
  await back
  t.is(part.state, 'up')
})

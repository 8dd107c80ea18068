import { mkdtemp, rm, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { createPart, type PartEvent } from '../../../env/local/managed-process.ts'

const READY = "console.log('here'); setInterval(() => undefined, 1_000)"

const makeFolder = async (t: ExecutionContext): Promise<string> => {
  const dir = await mkdtemp(join(tmpdir(), 'shop-part-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  return dir
}

/** A part that only says that it is ready, and what is told of it, awaited by its type. */
const openPart = async (t: ExecutionContext, environment: NodeJS.ProcessEnv) => {
  const dir = await makeFolder(t)
  const waiting: { type: PartEvent['type']; resolve: (event: PartEvent) => void }[] = []
  const logFile = join(dir, 'log')
  await writeFile(logFile, '')
  const part = createPart({
    name: 'part',
    port: 0,
    url: '',
    command: [process.execPath, '--eval', READY],
    cwd: dir,
    environment,
    logFile,
    readyBy: /here/,
    restart: true,
    tell: (event) => {
      for (const { type, resolve } of waiting) if (type === event.type) resolve(event)
    },
  })
  t.teardown(part.stop)
  const next = (type: PartEvent['type']) => new Promise<PartEvent>((resolve) => waiting.push({ type, resolve }))
  return { part, next, logFile }
}

test('a part that the system cannot start is tried again until it can', async (t) => {
  const environment = { ...process.env }
  const { part, next } = await openPart(t, environment)
  await part.start()
  const [died, unable] = [next('died'), Promise.withResolvers<PartEvent>()]
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
  const { part, next, logFile } = await openPart(t, process.env)
  await part.start()
  await unlink(logFile)
  const [died, back] = [next('died'), next('ready')]
  await part.kill()
  t.like(await died, { tail: `(the log cannot be read: ENOENT: no such file or directory, open '${logFile}')` })
  await back
  t.is(part.state, 'up')
})

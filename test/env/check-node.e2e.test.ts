/** What is said to whoever starts a program of the shop on a Node that cannot run it, or without its packages. */
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { makeFolder } from '../support/folder.ts'
import { ROOT, run as runProgram } from '../support/program.ts'

const PROGRAMS = ['start', 'saga', 'dead', 'audit', 'bench', 'drill']

type Package = { readonly scripts: Record<string, string>; readonly dependencies: Record<string, string> }
const readPackage = async (): Promise<Package> => JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'))

/** A copy of what is there before and after `npm ci`; `run` pretends to be a Node of the version. */
const copy = async (t: ExecutionContext, installed: readonly string[]) => {
  const dir = await makeFolder(t)
  await mkdir(join(dir, 'env'))
  for (const file of ['package.json', 'env/check-node.cjs']) await copyFile(join(ROOT, file), join(dir, file))
  for (const name of installed) {
    await mkdir(join(dir, 'node_modules', name), { recursive: true })
    await writeFile(join(dir, 'node_modules', name, 'package.json'), '{}')
  }
  const start = (parameters: readonly string[]) => runProgram(t, parameters, { cwd: dir })
  const run = (version: string) => {
    const pretend = `
      Object.defineProperty(process, 'versions', { value: { node: ${JSON.stringify(version)} } })
      Object.defineProperty(process, 'version', { value: ${JSON.stringify(`v${version}`)} })
      require('./env/check-node.cjs')
      console.log('it runs')
    `
    return start(['--eval', pretend])
  }
  const asMain = (names: readonly string[]) => start(['env/check-node.cjs', ...names])
  return Object.assign(run, { asMain })
}

test('without packages it says that npm ci is wanted', async (t) => {
  const run = await copy(t, ['koa'])
  for (const version of ['24.0.0', '20.20.2'])
    t.like(await run(version), {
      code: 2,
      output: '',
      errors:
        'packages are not installed (@koa/router, @opentelemetry/api, @opentelemetry/exporter-trace-otlp-http, @opentelemetry/resources, @opentelemetry/sdk-trace, axios, htm, ioredis, jose, nanoid, node-cron, pino, prom-client, redlock, swagger-ui-dist, undici, uplot, valibot): run "npm ci"\n',
    })
})

test('on a Node that is too old it says where a newer one comes from, and on others nothing', async (t) => {
  const run = await copy(t, Object.keys((await readPackage()).dependencies))
  for (const version of ['18.20.0', '20.20.2', '23.11.1'])
    t.like(await run(version), {
      code: 2,
      output: '',
      errors: `the shop needs Node 24, and this is v${version}: "npm ci" brings one, without --omit=dev, --ignore-scripts and NODE_ENV=production, or install it\n`,
    })
  for (const version of ['24.0.0', '26.1.0']) t.like(await run(version), { code: 0, output: 'it runs\n', errors: '' })
})

test('what is compiled is kept for the next start and by the processes that it starts, where the environment says or beside the packages', async (t) => {
  const program = join(await makeFolder(t), 'program.mjs')
  await writeFile(program, "import { getCompileCacheDir } from 'node:module'; console.log(getCompileCacheDir())")
  const folders = async (cache: string): Promise<string[]> => {
    const started = `
      require('./env/check-node.cjs')
      require('node:child_process').execFileSync(process.execPath, [${JSON.stringify(program)}], { stdio: 'inherit' })
      console.log(require('node:module').getCompileCacheDir())
    `
    const env = { ...process.env, NODE_COMPILE_CACHE: cache }
    const { output } = await runProgram(t, ['--eval', started], { cwd: ROOT, env })
    return output.trim().split('\n').map(dirname)
  }
  const beside = join(ROOT, 'node_modules/.cache/compiled')
  t.deepEqual(await folders(''), [beside, beside])
  const named = await makeFolder(t)
  t.deepEqual(await folders(named), [named, named])
})

test('every program of the shop is checked so, and takes the place of the shell of npm', async (t) => {
  const { scripts } = await readPackage()
  for (const program of PROGRAMS) t.regex(scripts[program] ?? '', /^exec node -r \.\/env\/check-node\.cjs \S+\.ts/)
})

test('what a developer needs is asked for by name', async (t) => {
  const { scripts, dependencies } = await readPackage()
  const run = await copy(t, Object.keys(dependencies))
  const [, names = ''] = /^node env\/check-node\.cjs (.*?) && /.exec(scripts.check ?? '') ?? []
  for (const program of ['test', 'test:faults', 'check'])
    t.regex(scripts[program] ?? '', /^node env\/check-node\.cjs \w/)
  const { code, errors } = await run.asMain(names.split(' '))
  t.is(code, 2)
  t.regex(errors, /^packages are not installed \(typescript, @biomejs\/biome\): run "npm ci", without --omit=dev/)
})

test('a clone has bare line feeds on every system', async (t) => {
  t.regex(await readFile(join(ROOT, '.gitattributes'), 'utf8'), /^\* text=auto eol=lf$/m)
})

/**
 * Can this Node run the shop, and are the packages there?
 *
 * Loaded before the program (`node --require`), by whatever Node is found: so it is plain JavaScript that old ones take, too.
 * If not, it says in one sentence what to do and ends with 2: for the operators' tools that means that nobody was asked.
 * Run by itself it looks for the packages that are named, too: those of a developer.
 *
 * What Node compiles is kept for the next start, also by the processes that the program starts: a service is loaded with half the CPU.
 */
const fs = require('node:fs')
const { enableCompileCache } = require('node:module')
const path = require('node:path')

const OLDEST_MAJOR = 24
const ROOT = path.join(__dirname, '..')
const WAYS_TO_MISS_IT = 'without --omit=dev, --ignore-scripts and NODE_ENV=production'

const isInstalled = (name) => fs.existsSync(path.join(ROOT, 'node_modules', name, 'package.json'))

const fault = () => {
  const { dependencies } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8'))
  const further = require.main === module ? process.argv.slice(2) : []
  const missing = [...Object.keys(dependencies), ...further].filter((name) => !isInstalled(name))
  if (missing.length > 0)
    return `packages are not installed (${missing.join(', ')}): run "npm ci"${further.length > 0 ? `, ${WAYS_TO_MISS_IT}` : ''}`
  if (Number.parseInt(process.versions.node, 10) >= OLDEST_MAJOR) return undefined
  return `the shop needs Node ${OLDEST_MAJOR}, and this is ${process.version}: "npm ci" brings one, ${WAYS_TO_MISS_IT}, or install it`
}

const sentence = fault()
if (sentence !== undefined) {
  fs.writeSync(2, `${sentence}\n`)
  process.exit(2)
}

process.env.NODE_COMPILE_CACHE = process.env.NODE_COMPILE_CACHE || path.join(ROOT, 'node_modules', '.cache', 'compiled')
enableCompileCache(process.env.NODE_COMPILE_CACHE)

/** `npm run openapi`: writes the contract anew, in all its forms, from the rows of all services. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readLine, UsageError } from '../../env/command-line.ts'
import { ROOT } from '../support/program.ts'
import { WRITTEN } from './written.ts'

const HELP = `Writes the contract anew, in all its forms, from the rows of all services, and says which files have changed.

  npm run openapi

  --help           this text

${WRITTEN.map(({ place }) => `  ${relative(ROOT, fileURLToPath(place))}`).join('\n')}`

const write = (): string => {
  const changed = WRITTEN.flatMap(({ place, text }) => {
    const written = text()
    if (existsSync(place) && readFileSync(place, 'utf8') === written) return []
    writeFileSync(place, written)
    return [`${relative(ROOT, fileURLToPath(place))} has changed`]
  })
  return changed.join('\n') || 'nothing has changed'
}

try {
  const { values } = readLine({ options: { help: { type: 'boolean', short: 'h' } } })
  console.log(values.help ? HELP : write())
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`${error.message}; npm run openapi -- --help shows what can be said`)
  process.exitCode = 1
}

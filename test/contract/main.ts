/** `npm run openapi`: writes the contract anew, from the rows of all services. */
import { writeFileSync } from 'node:fs'
import { contractText } from './document.ts'

writeFileSync(new URL('../../gateway/docs/openapi.json', import.meta.url), contractText())

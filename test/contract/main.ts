/** `npm run openapi`: writes the contract anew, in all its forms, from the rows of all services. */
import { writeFileSync } from 'node:fs'
import { WRITTEN } from './written.ts'

for (const { place, text } of WRITTEN) writeFileSync(place, text())

/**
 * What one process has compiled is kept for the next ones: those of other test files, and those of the shops that tests start, of
 * which a whole run starts more than a thousand. AVA loads this before each test file. Measured: 0.27 s less CPU for a test file that
 * opens a store, of 1.3; and 4.2 s instead of 6.4 to start and end a shop.
 */
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '../../node_modules/.cache/compiled')
enableCompileCache(folder)
process.env.NODE_COMPILE_CACHE = folder

/** The programs that this command was installed with. */
import {dirname} from 'node:path'
import {fileURLToPath} from 'node:url'

export const dist = dirname(fileURLToPath(import.meta.url))
/** Options of Node.js for a coordinator. */
export const nodeOptions = ['--disable-warning=ExperimentalWarning'] as const

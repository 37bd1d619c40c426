/** What a supervisor is started as: `main.ts`, which is bundled on its own, with the code that supervisors before it have compiled. */
import {join} from 'node:path'
import {runCached} from '../kernel/code-cache.ts'
import {supervisorOptionsVariable} from './options-variable.ts'

/** The file name of the bundle of `main.ts`; scripts/build.mjs puts it here. */
declare const supervisorProgram: string

runCached({program: join(import.meta.dirname, supervisorProgram), cache: findCache()})

/** In the run directory: only root may write there, and it is empty after a boot. Whether the options are good is the program's business. */
function findCache(): string | undefined {
  const {runDir} = JSON.parse(process.env[supervisorOptionsVariable] ?? '{}')
  return typeof runDir === 'string' ? join(runDir, 'code-cache/supervisor') : undefined
}

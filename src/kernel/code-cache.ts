/**
 * Runs a bundled program with the bytecode that earlier processes have compiled, which saves most of the compiling at a start: V8 compiles a
 * function when it is first called, and that is what takes the time. Node's own compile cache (`module.enableCompileCache`) is taken
 * right after a module is loaded, so it lacks those functions (docs/adr/0028).
 *
 * The cache is an optimisation and no more. MUST hold: whatever is in the file, the program that runs is `program`; achieved by a digest over
 * the name of the program, which has a hash of its content, and the bytecode. V8 itself refuses what another version or other flags have made.
 */
import {createHash} from 'node:crypto'
import {channel} from 'node:diagnostics_channel'
import {mkdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs'
import {createRequire} from 'node:module'
import {basename, dirname} from 'node:path'
import {pathToFileURL} from 'node:url'
import {Script} from 'node:vm'

/** Bundles are wrapped into a function with these parameters (scripts/build.mjs). */
type Wrapped = (exports: object, require: NodeJS.Require, filename: string, dirname: string, url: string) => void

export interface CachedProgram {
  /** Path of the bundle, whose name has a hash of its content. */
  readonly program: string
  /** Path of the file with the bytecode; undefined for none. */
  readonly cache: string | undefined
}

/** Each adds what it has compiled beyond what it was given: a create needs other functions than a wake. */
const mostGenerations = 8
const quietMs = 5_000
const keep = channel('tallyman.keep-code')

/** Tells that the process has done work whose code the next process is likely to need. It is kept after a while, or when this one ends. */
export function keepCode(): void {
  keep.publish(undefined)
}

export function runCached({program, cache}: CachedProgram): void {
  const name = basename(program)
  const found = cache === undefined ? undefined : readCache(cache, name)
  const script = new Script(readFileSync(program, 'latin1'), {filename: program, ...(found && {cachedData: found.code})})
  const generation = found && !script.cachedDataRejected ? found.generation : 0
  const writing = {former: found?.generation ?? 0, generation}
  if (cache !== undefined && generation < mostGenerations) keepOnce(() => writeCache(cache, name, script, writing))
  const run: Wrapped = script.runInThisContext()
  run({}, createRequire(program), program, dirname(program), pathToFileURL(program).href)
}

function keepOnce(write: () => void): void {
  const begin = () => {
    keep.unsubscribe(begin)
    const end = () => {
      clearTimeout(timer)
      process.off('exit', end)
      write()
    }
    const timer = setTimeout(end, quietMs).unref()
    process.on('exit', end)
  }
  keep.subscribe(begin)
}

interface Cache {
  /** How many processes have added to it. */
  readonly generation: number
  readonly code: Buffer
}

const digestBytes = 32
const headerBytes = digestBytes + 1

function readCache(file: string, program: string): Cache | undefined {
  try {
    const bytes = readFileSync(file)
    const [generation, code] = [bytes[digestBytes], bytes.subarray(headerBytes)]
    const isWhole = generation !== undefined && digest(program, generation, code).equals(bytes.subarray(0, digestBytes))
    return isWhole ? {generation, code} : undefined
  } catch {
    // The first start, or a directory that cannot be read: everything is compiled.
    return undefined
  }
}

interface Writing {
  /** What the file said when this process began. If it says something else now, another process has just written it. */
  readonly former: number
  /** What this process was started with; 0 when it had to compile everything. */
  readonly generation: number
}

function writeCache(file: string, program: string, script: Script, {former, generation}: Writing): void {
  const fresh = `${file}.${process.pid}`
  try {
    if ((readCache(file, program)?.generation ?? 0) !== former) return
    const code = script.createCachedData()
    mkdirSync(dirname(file), {recursive: true, mode: 0o700})
    writeFileSync(fresh, Buffer.concat([digest(program, generation + 1, code), Buffer.of(generation + 1), code]), {mode: 0o600})
    renameSync(fresh, file)
  } catch {
    // A full disk, or a directory that has been removed: the next process compiles.
    removeIfThere(fresh)
  }
}

function removeIfThere(file: string): void {
  try {
    rmSync(file, {force: true})
  } catch {
    // As above.
  }
}

function digest(program: string, generation: number, code: Buffer): Buffer {
  return createHash('sha256').update(`${program}\n${generation}\n`).update(code).digest()
}

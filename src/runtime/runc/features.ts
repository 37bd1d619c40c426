/**
 * The features that an OCI runtime reports (`features` of runtime-spec 1.1; runc from 1.1, crun from 1.8). An older runtime does not have
 * this verb. Then its features are unknown, not absent.
 */
import {createHash, randomBytes} from 'node:crypto'
import {
  accessSync,
  closeSync,
  constants,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import {delimiter, join} from 'node:path'
import * as z from 'zod'
import {runProgram} from '../run-program.ts'

export interface RuntimeFeatures {
  /** Such as `rro`. */
  readonly mountOptions: ReadonlySet<string>
  /** Such as `time`. */
  readonly namespaces: ReadonlySet<string>
  /** Whether mounts can map ids (mount_setattr(2), MOUNT_ATTR_IDMAP). */
  readonly idmap: boolean
  /** Whether it was built with seccomp; undefined when it does not report that. */
  readonly seccomp: boolean | undefined
  readonly apparmor: boolean | undefined
  readonly selinux: boolean | undefined
}

const names = z.array(z.string()).nullish()
const toggle = z.object({enabled: z.boolean().nullish()}).nullish()
const featuresSchema = z.object({
  ociVersionMin: z.string(),
  mountOptions: names,
  linux: z
    .object({namespaces: names, mountExtensions: z.object({idmap: toggle}).nullish(), seccomp: toggle, apparmor: toggle, selinux: toggle})
    .nullish(),
})

/** @returns undefined for any other text */
export function parseFeatures(text: string): RuntimeFeatures | undefined {
  const parsed = featuresSchema.safeParse(parseJson(text))
  if (!parsed.success) return undefined
  const {mountOptions, linux} = parsed.data
  return {
    mountOptions: new Set(mountOptions),
    namespaces: new Set(linux?.namespaces),
    idmap: linux?.mountExtensions?.idmap?.enabled === true,
    seccomp: linux?.seccomp?.enabled ?? undefined,
    apparmor: linux?.apparmor?.enabled ?? undefined,
    selinux: linux?.selinux?.enabled ?? undefined,
  }
}

export interface FeaturesOptions {
  /** Directory in which the answer is cached until the program changes. Undefined: the runtime is called each time. */
  readonly cacheDir?: string
  readonly timeoutMs?: number
  /** As those of `CallerOptions`: a process that reaps orphans has to know which children belong to Node.js. */
  readonly onSpawn?: (pid: number) => void
  readonly onReaped?: (pid: number) => void
}

/** @returns undefined when the runtime does not exist, or does not report features */
export async function readFeatures(
  binary: string,
  {cacheDir, timeoutMs = 10_000, onSpawn, onReaped}: FeaturesOptions = {},
): Promise<RuntimeFeatures | undefined> {
  const program = findProgram(binary)
  if (program === undefined) return undefined
  const cache = cacheDir !== undefined && isElf(program) ? join(cacheDir, `features-${identify(program)}.json`) : undefined
  const known = cache === undefined ? undefined : parseFeatures(readIfThere(cache))
  if (known) return known
  const {stdout: text} = await runProgram(program, ['features'], {timeoutMs, onSpawn, onReaped})
  const features = parseFeatures(text)
  if (features && cache !== undefined) writeCache(cache, text)
  return features
}

/** As execvp(3) finds it. */
function findProgram(binary: string): string | undefined {
  const candidates = binary.includes('/') ? [binary] : (process.env['PATH'] ?? '').split(delimiter).map((dir) => join(dir, binary))
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return statSync(path).isFile()
    } catch {
      return false
    }
  })
}

/** Only an ELF program is cached: a script can call another program, which may change. */
function isElf(program: string): boolean {
  const fd = openSync(program, 'r')
  try {
    const magic = Buffer.alloc(4)
    readSync(fd, magic)
    return magic.toString('latin1') === '\x7fELF'
  } finally {
    closeSync(fd)
  }
}

function identify(program: string): string {
  const {dev, ino, size, mtimeMs} = statSync(program)
  return createHash('sha256')
    .update(JSON.stringify([realpathSync(program), dev, ino, size, mtimeMs]))
    .digest('hex')
    .slice(0, 16)
}

/** Written by rename, since other processes read it. Without a cache, the next supervisor calls the runtime. */
function writeCache(cache: string, text: string): void {
  const fresh = `${cache}.${randomBytes(4).toString('hex')}`
  try {
    writeFileSync(fresh, text, {mode: 0o600})
    renameSync(fresh, cache)
  } catch {}
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

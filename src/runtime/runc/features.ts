/**
 * What an OCI runtime says that it can do (`features`, runtime-spec 1.1, runc from 1.1 and crun from 1.8 on). An older one knows no such
 * verb: then nothing is known, which is not the same as that it cannot.
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
import {execa} from 'execa'
import * as z from 'zod'
import {toToolEnvironment} from '../../kernel/environment.ts'

export interface RuntimeFeatures {
  /** Of mounts, such as `rro`. */
  readonly mountOptions: ReadonlySet<string>
  /** Kinds of namespaces, such as `time`. */
  readonly namespaces: ReadonlySet<string>
  /** Whether a mount may have ids of its own (mount_setattr(2), MOUNT_ATTR_IDMAP). */
  readonly idmap: boolean
  /** Whether it was built with seccomp; undefined when it does not say. */
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

/** @returns undefined for what are no features */
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
  /** Where the answer is kept for as long as the program is the same, so that not every container asks. */
  readonly cacheDir?: string
  readonly timeoutMs?: number
  /** As those of `RuncOptions`: a process that reaps orphans has to know which child is Node's. */
  readonly onSpawn?: (pid: number) => void
  readonly onReaped?: (pid: number) => void
}

/** @returns undefined when the runtime is not there, or does not say */
export async function readFeatures(
  binary: string,
  {cacheDir, timeoutMs = 10_000, onSpawn, onReaped}: FeaturesOptions = {},
): Promise<RuntimeFeatures | undefined> {
  const program = findProgram(binary)
  if (program === undefined) return undefined
  const cache = cacheDir !== undefined && isElf(program) ? join(cacheDir, `features-${identify(program)}.json`) : undefined
  const known = cache === undefined ? undefined : parseFeatures(readIfThere(cache))
  if (known) return known
  const child = execa(program, ['features'], {
    reject: false,
    stdin: 'ignore',
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    // As in `createRunc`: the handler takes a SIGIO for our end.
    cleanup: false,
    extendEnv: false,
    env: toToolEnvironment(),
    cwd: '/',
  })
  const {pid} = child
  if (pid !== undefined) onSpawn?.(pid)
  const {stdout} = await child
  if (pid !== undefined) onReaped?.(pid)
  const text = typeof stdout === 'string' ? stdout : ''
  const features = parseFeatures(text)
  if (features && cache !== undefined) keep(cache, text)
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

/** A script may call another program, of which its own file tells nothing. */
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

/** Renamed into its place, since others read it. Where that cannot be, the next asks again. */
function keep(cache: string, text: string): void {
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

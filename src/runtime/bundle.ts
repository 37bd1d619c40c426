/** Prepares the bundle of a container: one of the user's is checked and not changed, or one is generated for a root file system. */
import {existsSync} from 'node:fs'
import {stat, writeFile} from 'node:fs/promises'
import {join, resolve} from 'node:path'
import * as z from 'zod'
import type {Confinement} from '../../machines/schemas/confinement.ts'
import {type BundleRequest, type CreateRequest, isBundleRequest, type RootfsRequest} from '../../machines/schemas/create-request.ts'
import {toRealPath} from '../kernel/real-path.ts'
import {toLimits} from '../../machines/schemas/limits.ts'
import {TallyError} from '../kernel/errors.ts'
import {findChanges} from './checkpoint-image.ts'
import {mostSpecBytes, readTextFile} from './read-text-file.ts'
import {mountRootfs} from './rootfs.ts'
import type {RuntimeFeatures} from './runc/features.ts'
import {noFilter} from './spec/choose-seccomp.ts'
import {confiningSchema, findLacks, toConfinement} from './spec/confine.ts'
import {type FindingOptions, findForSpec} from './spec/findings.ts'
import {formatSpec, generateSpec} from './spec/generate.ts'
import type {HostFacts} from './spec/host-facts.ts'
import {assertLimits} from './spec/limit-bounds.ts'
import {assertDifferentPlaces} from './spec/mounts.ts'
import {assertReadOnlyBelow, canReadOnlyBelow, findRootfsParts} from './spec/read-only-below.ts'
import {assertAccountFiles, resolveUser} from './spec/user.ts'

export interface PreparedBundle {
  /** Directory with config.json. */
  readonly bundle: string
  readonly args: readonly string[]
  /** Init's 0, 1 and 2 are a pseudo-terminal. */
  readonly terminal: boolean
  /** Where the overlay over the root file system keeps its changes. */
  readonly overlay?: 'disk' | 'memory'
  readonly confinement: Confinement
}

export interface BundleOptions {
  /** Directory for the generated config.json and for mounts. */
  readonly dir: string
  readonly containerId: string
  readonly cgroupsPath: string
  readonly host: HostFacts
  readonly findInit: FindingOptions['findInit']
  /** Of the OCI runtime; undefined when it does not report them. */
  readonly features: () => Promise<RuntimeFeatures | undefined>
}

/** @throws TallyError ROOTFS_INVALID, MOUNT_FAILED, USER_NOT_FOUND, BUNDLE_INVALID. Mounts that were made before a failure stay: call `unmountBelow`. */
export async function prepareBundle(request: CreateRequest, options: BundleOptions): Promise<PreparedBundle> {
  if (request.runtime?.systemdCgroup && !existsSync('/run/systemd/system'))
    throw new TallyError('UNSUPPORTED', 'systemd does not run this host, so it cannot make the cgroup of a container')
  return isBundleRequest(request) ? await checkBundle(request) : await writeBundle(request, options)
}

/**
 * Checks a request as far as possible before anything is created for it.
 * @returns the request, with symbolic links in the path of its root resolved: the runtime refuses them, and the links may change later
 * @throws as prepareBundle
 */
export async function checkRequest(request: CreateRequest): Promise<CreateRequest> {
  if (isBundleRequest(request)) {
    await checkBundle(request)
    return {...request, bundle: toRealPath(request.bundle)}
  }
  assertLimits(toLimits(request))
  assertDifferentPlaces(request.mounts ?? [])
  if (request.rootfs === undefined) return request
  await assertDirectory(request.rootfs, 'ROOTFS_INVALID', 'a root file system')
  resolveUser(request.rootfs, request.user)
  return {...request, rootfs: toRealPath(request.rootfs)}
}

async function writeBundle(
  request: RootfsRequest,
  {dir, containerId, cgroupsPath, host, findInit, features: readFeatures}: BundleOptions,
): Promise<PreparedBundle> {
  if (request.rootfs !== undefined) await assertDirectory(request.rootfs, 'ROOTFS_INVALID', 'a root file system')
  const findings = findForSpec(request, {host, findInit})
  const features = await readFeatures()
  if (findings.seccomp.profile && features?.seccomp === false) throw noFilter('the OCI runtime was built without seccomp')
  const readsOnlyBelow = canReadOnlyBelow(host, features)
  assertReadOnlyBelow(request.mounts ?? [], host, features)
  const {path: rootfs, overlay} = mountRootfs(request, dir, request.checkpoint && findChanges(request.checkpoint.image))
  const parts = request.readOnly ? findRootfsParts(rootfs) : []
  const spec = generateSpec({
    request,
    rootfs,
    containerId,
    cgroupsPath,
    user: resolveUser(rootfs, request.user),
    host,
    findings: {...findings, readsOnlyBelow, parts},
  })
  await writeFile(join(dir, 'config.json'), formatSpec(spec), {mode: 0o600})
  const confinement = toConfinement(spec, {seccomp: findings.seccomp.name, lacks: findLacks(request, host, readsOnlyBelow)})
  return {bundle: dir, args: request.args, terminal: request.terminal === true, ...(overlay && {overlay}), confinement}
}

const specSchema = z.object({
  ociVersion: z.string(),
  root: z.object({path: z.string()}),
  process: z.object({
    ...confiningSchema.shape.process.shape,
    args: z.array(z.string()).min(1),
    terminal: z.boolean().optional(),
  }),
  linux: confiningSchema.shape.linux,
})

async function checkBundle({bundle}: BundleRequest): Promise<PreparedBundle> {
  await assertDirectory(bundle, 'BUNDLE_INVALID', 'a bundle directory')
  const file = join(bundle, 'config.json')
  const invalid = (why: string, cause?: unknown) => new TallyError('BUNDLE_INVALID', `${file} ${why}`, {details: {file}, cause})
  const spec = specSchema.safeParse(parseJson(readSpec(file, invalid), (why) => invalid(`is not JSON: ${why}`)))
  if (!spec.success) throw invalid(`is not an OCI runtime spec: ${z.prettifyError(spec.error).replaceAll('\n', ' ')}`)
  const {process, root} = spec.data
  await assertDirectory(resolve(bundle, root.path), 'BUNDLE_INVALID', `the root file system that ${file} names`)
  assertAccountFiles(resolve(bundle, root.path))
  return {bundle, args: process.args, terminal: process.terminal === true, confinement: toConfinement(spec.data, {seccomp: 'bundle'})}
}

function readSpec(file: string, invalid: (why: string, cause: unknown) => TallyError): string {
  try {
    return readTextFile(file, mostSpecBytes)
  } catch (cause) {
    throw invalid(`cannot be read: ${describe(cause)}`, cause)
  }
}

function parseJson(text: string, toError: (why: string) => TallyError): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw toError(describe(cause))
  }
}

async function assertDirectory(path: string, code: 'ROOTFS_INVALID' | 'BUNDLE_INVALID', what: string): Promise<void> {
  const found = await stat(path).catch((cause: unknown) => describe(cause))
  if (typeof found === 'string') throw new TallyError(code, `expected ${what} at ${path}: ${found}`, {details: {path}})
  if (!found.isDirectory())
    throw new TallyError(code, `expected ${what} at ${path}, got something that is not a directory`, {details: {path}})
}

function describe(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

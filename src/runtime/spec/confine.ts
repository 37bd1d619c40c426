/** What protects the host from a container, read from its OCI spec, and which protections are missing. */
import * as z from 'zod'
import type {Confinement, NodeConfinement} from '../../../machines/schemas/confinement.ts'
import type {RootfsRequest} from '../../../machines/schemas/create-request.ts'
import type {RuntimeFeatures} from '../runc/features.ts'
import {canReadOnlyBelow, findWritable, whyNotBelow} from './read-only-below.ts'
import {findDefaultSeccomp} from './choose-seccomp.ts'
import type {HostFacts} from './host-facts.ts'

const text = z.string().nullish()
const texts = z.array(z.string()).readonly().nullish()
/** The parts of a config.json, generated or of the user, that confine a container. */
export const confiningSchema = z.object({
  process: z.object({
    apparmorProfile: text,
    selinuxLabel: text,
    noNewPrivileges: z.boolean().nullish(),
    capabilities: z.object({bounding: texts}).nullish(),
  }),
  linux: z.object({seccomp: z.unknown().optional(), maskedPaths: texts, readonlyPaths: texts}).nullish(),
})

/** @param seccomp the name of the filter, if there is one */
export function toConfinement(
  {process, linux}: z.infer<typeof confiningSchema>,
  {seccomp, lacks = []}: {readonly seccomp: string; readonly lacks?: readonly string[]},
): Confinement {
  return {
    seccomp: linux?.seccomp ? seccomp : 'unconfined',
    apparmor: process.apparmorProfile || 'unconfined',
    ...(process.selinuxLabel && {selinux: process.selinuxLabel}),
    noNewPrivileges: process.noNewPrivileges === true,
    masked: (linux?.maskedPaths ?? []).length > 0 && (linux?.readonlyPaths ?? []).length > 0,
    capabilities: [...(process.capabilities?.bounding ?? [])],
    ...(lacks.length > 0 && {lacks: [...lacks]}),
  }
}

/** The protections that a container with a generated spec lacks. */
export function findLacks(request: RootfsRequest, host: HostFacts, readsOnlyBelow: boolean): readonly string[] {
  const isSwapFree = request.memoryBytes !== undefined && request.memorySwapBytes === undefined && host.limitsSwap === false
  return [
    ...findWritable(request.mounts ?? [], readsOnlyBelow),
    ...(isSwapFree ? ['swap is not limited with memory: this kernel does not account for it (swapaccount=1)'] : []),
  ]
}

/** The protections that all containers of this node lack. */
export function toNodeConfinement(host: HostFacts, features: RuntimeFeatures | undefined): NodeConfinement {
  const lacks: readonly (string | false)[] = [
    host.filtersCalls === false && 'this kernel has no seccomp: a container is made only when it asks for none',
    features?.seccomp === false && 'the runtime has no seccomp: a container is made only when it asks for none',
    host.apparmor === true && 'AppArmor confines only a container that asks for it (--security-opt apparmor=PROFILE)',
    host.selinux === true && 'SELinux labels are not given to containers',
    !canReadOnlyBelow(host, features) && `what is mounted below a read-only mount stays writable: ${whyNotBelow(host)}`,
    host.limitsSwap === false && 'swap is not limited with memory: this kernel does not account for it (swapaccount=1)',
    !host.cgroupNamespace && 'this kernel has no cgroup namespaces: a container sees the names of the groups of the host',
    host.missingControllers !== undefined &&
      host.missingControllers.length > 0 &&
      `this host limits no ${host.missingControllers.join(', no ')}: it has no such cgroup controllers`,
  ]
  return {seccomp: findDefaultSeccomp(), lacks: lacks.filter((lack) => lack !== false)}
}

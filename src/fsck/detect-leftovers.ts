/** What is left of containers that no longer exist. */
import {toContainerLayout} from '../layout/container-layout.ts'
import {type Finding, toFinding} from './findings.ts'
import {type Survey, toKey} from './survey.ts'
import type {ContainerName} from '../layout/container-name.ts'

/** Leftovers of containers that have no journal, and no supervisor that may be about to remove them. */
export function detectLeftovers(survey: Survey): readonly Finding[] {
  const taken = new Set([...survey.containers.filter(({journal}) => journal.type !== 'missing'), ...survey.supervised].map(toKey))
  const isOrphan = (name: ContainerName) => !taken.has(toKey(name))
  return [
    ...survey.runtime.filter(isOrphan).map(({path, ...name}) =>
      toFinding('RUNTIME_ORPHAN', name, {
        subject: path,
        message: `the OCI runtime has it (${path}), and no ledger knows it; --repair deletes it there, with its processes`,
        repair: {type: 'delete-from-runtime', ...name},
      }),
    ),
    ...survey.mounts.filter(isOrphan).map(({target, ...name}) =>
      toFinding('MOUNT_ORPHAN', name, {
        subject: target,
        message: `${target} is mounted, and its container is not there; --repair unmounts it`,
        repair: {type: 'remove-state-dir', ...name},
      }),
    ),
    ...survey.runDirs.filter(isOrphan).map(({path, ...name}) =>
      toFinding('RUN_DIR_ORPHAN', name, {
        subject: path,
        message: `${path} is left, and its container is not there; --repair removes it`,
        repair: {type: 'remove-run-dir', ...name},
      }),
    ),
    ...survey.processes.filter(isOrphan).map(({pid, file, title, ...name}) =>
      toFinding('PROCESS_ORPHAN', name, {
        subject: `process ${pid}`,
        message: `process ${pid} (${title}) has ${file} open, and its container is not there; find out whose process it is`,
        repair: undefined,
      }),
    ),
    ...detectCgroups(survey),
  ]
}

/** The groups of several nodes of a machine are side by side: this node's are those of containers that the stream has of this node. */
function detectCgroups({stateDir, containers, supervised, cgroups, stream}: Survey): readonly Finding[] {
  if (stream.type !== 'read') return []
  const whole = containers.flatMap((one) => (one.journal.type === 'whole' ? [{key: toKey(one), uid: one.journal.uid}] : []))
  const known = new Set(whole.map(({key}) => key))
  const live = new Set(whole.map(({uid}) => uid))
  // Containers whose uid cannot be read: a group may be theirs.
  const unknown = new Set([...containers, ...supervised].map(toKey).filter((key) => !known.has(key)))
  const gone = stream.lives.filter((life) => !live.has(life.uid) && !unknown.has(toKey(life)))
  return gone.flatMap(({namespace, id, uid}) => {
    const {cgroupsPath} = toContainerLayout({stateDir, runDir: stateDir}, {namespace, id}, uid)
    return cgroups
      .filter(({path}) => path === cgroupsPath)
      .map(({path, directories, processes}) =>
        toFinding(
          'CGROUP_ORPHAN',
          {namespace, id},
          {
            subject: path,
            message: `the group ${path} is left in ${directories.length} hierarchies with ${processes.length} processes, and its container is not there; --repair removes it`,
            repair: {type: 'remove-cgroup', path, namespace, id},
          },
        ),
      )
  })
}

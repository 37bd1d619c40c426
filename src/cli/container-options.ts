/** The options that `run` and `create` share. */
import {type Command, Option} from 'commander'
import {parseBytes, parseCount, parseCpus, parseLabel, parseLogOption, parseRestart, parseUnlessLifted, repeated} from './arguments.ts'
import {parseMount, parseRootfsMount} from './mount-arguments.ts'
import {parseDevice, parseSecurityOption, parseUlimit} from './security-arguments.ts'
import {parseDuration} from './times.ts'
import {parseTmpfs, parseVolume} from './volume-arguments.ts'

export function addContainerOptions(command: Command): Command {
  command.argument('[command...]', 'command to run in the root file system, and its arguments').passThroughOptions()
  for (const add of [addRootfs, addLifecycle, addRuntime, addProcess, addNamespaces, addSecurity, addMounts, addLimits]) add(command)
  return command.addOption(repeated('-l, --label <name=value>', 'set a label, shown by inspect; may be repeated', parseLabel))
}

function addRootfs(command: Command): void {
  command
    .option('--name <id>', 'id of the container (default: a random one)')
    .option('--rootfs <dir>', 'directory to use as the root file system; changes go to an overlay that is deleted with the container')
    .option('--rw', 'write changes to the directory itself, without an overlay')
    .addOption(
      repeated(
        '--rootfs-mount <fields>',
        'mount the root file system instead of --rootfs: type=T,source=S[,target=PATH][,options=O,…]; mounted in the given order; may be repeated',
        parseRootfsMount,
      ),
    )
    .option('--bundle <dir>', 'run an OCI bundle without changing it')
    .option('--read-only', 'mount the root file system read-only')
}

function addLifecycle(command: Command): void {
  command
    .addOption(
      new Option(
        '--log-opt <name=value>',
        'log rotation: max-size=SIZE is the size of a log file, max-file=COUNT the number of log files, 5 by default',
      ).argParser(parseLogOption),
    )
    .option('--restart <policy>', 'restart policy: no, on-failure[:COUNT], always or unless-stopped (default: no)', parseRestart)
    .option('--health-cmd <command>', 'health check: run by sh -c in the container; exit status 0 means healthy')
    .option('--health-interval <duration>', 'time between two health checks (default: 30s)', parseDuration)
    .option('--health-timeout <duration>', 'time after which a running health check has failed (default: 30s)', parseDuration)
    .option('--health-retries <count>', 'consecutive failures after which the container is unhealthy (default: 3)', parseCount)
    .option('--health-start-period <duration>', 'time after the start in which failures are not counted (default: 0)', parseDuration)
    .option('--health-start-interval <duration>', 'time between two health checks in the start period (default: 5s)', parseDuration)
}

function addRuntime(command: Command): void {
  command
    .option('--runtime <name>', "OCI runtime, by name or path (default: the node's)")
    .option('--runtime-root <dir>', 'directory for the state of the OCI runtime (default: a directory of the node)')
    .option('--no-pivot', 'do not use pivot_root, for a root file system in memory')
    .option('--no-new-keyring', 'do not create a session keyring; the container uses that of the node')
    .option('--systemd-cgroup', 'let systemd create the cgroup')
}

function addProcess(command: Command): void {
  command
    .option('-i, --interactive', 'keep standard input open; without it, the command reads an end of file')
    .option('-t, --tty', 'allocate a terminal')
    .addOption(
      repeated(
        '-e, --env <name=value>',
        'set an environment variable; NAME alone takes the value from your environment; may be repeated',
        String,
      ),
    )
    .option('-w, --workdir <dir>', 'working directory in the container (default: /)')
    .option(
      '-u, --user <user[:group]>',
      'user and group, as numbers or as names in the passwd and group files of the container (default: 0)',
    )
}

function addNamespaces(command: Command): void {
  command
    .option('--hostname <name>', 'host name of the container (default: its id)')
    .option(
      '--net, --network <mode>',
      'network namespace: none (loopback only), host, or container:ID to join that of another container (default: none)',
    )
    .option('--pid <mode>', 'PID namespace: private, host, or container:ID to join that of another container (default: private)')
    .option('--ipc <mode>', 'IPC namespace: private, host, or container:ID to join that of another container (default: private)')
    .addOption(new Option('--uts <mode>', 'UTS namespace, which has the host name (default: private)').choices(['private', 'host']))
}

function addSecurity(command: Command): void {
  command
    .option('--privileged', 'give all capabilities and devices of the host; mask no path, filter no system call')
    .addOption(
      repeated(
        '--security-opt <name=value>',
        'security option: seccomp=default, seccomp=unconfined, seccomp=FILE, no-new-privileges=false or apparmor=PROFILE; may be repeated',
        parseSecurityOption,
      ),
    )
    .addOption(repeated('--device <source[:target[:rwm]]>', 'add a device of the host; may be repeated', parseDevice))
    .addOption(repeated('--cap-add <name>', 'add a capability, or ALL; may be repeated', String))
    .addOption(repeated('--cap-drop <name>', 'drop a capability, or ALL; may be repeated', String))
    .addOption(repeated('--annotation <name=value>', 'add an annotation to the OCI specification; may be repeated', parseLabel))
}

function addMounts(command: Command): void {
  command
    .addOption(
      repeated(
        '-v, --volume <source:target[:option,…]>',
        'bind mount a file or directory; options are ro, rro, rslave and others; may be repeated',
        parseVolume,
      ),
    )
    .addOption(
      repeated(
        '--mount <fields>',
        'mount type=bind,source=S,target=T[,readonly][,bind-propagation=P][,bind-recursive=R] or type=tmpfs,target=T[,tmpfs-size=SIZE][,tmpfs-mode=MODE]; may be repeated',
        parseMount,
      ),
    )
    .addOption(
      repeated(
        '--tmpfs <target[:option,…]>',
        'mount a file system in memory; options are size=64k, mode=700, exec, uid=1 and others; may be repeated',
        parseTmpfs,
      ),
    )
}

function addLimits(command: Command): void {
  command
    .addOption(
      repeated('--ulimit <name=soft[:hard]>', 'resource limit such as nofile=1024:4096; -1: unlimited; may be repeated', parseUlimit),
    )
    .option('--memory <size>', 'memory limit, such as 64m', parseBytes)
    .option('--memory-swap <size>', 'limit of memory and swap together; -1: unlimited (default: no swap)', parseUnlessLifted(parseBytes))
    .option('--cpus <number>', 'CPU time limit, in CPUs, such as 0.5', parseCpus)
    .option('--cpu-shares <number>', 'CPU weight relative to other containers, which have 1024', parseCount)
    .option('--cpuset-cpus <list>', 'CPUs on which the container may run, such as 0-2,4')
    .option('--pids-limit <count>', 'limit of processes and threads', parseCount)
}

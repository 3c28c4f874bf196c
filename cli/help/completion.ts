/** What a shell completes where something is typed: these words, files, or nothing that it knows. */
export type Completed = readonly string[] | 'files' | 'nothing';

/** What a shell completes for a command or a subcommand. */
export interface CompletedCommand {
  /** `lists create` for a subcommand. */
  readonly name: string;
  readonly description: string;
  readonly options: readonly CompletedOption[];
  /** Its subcommands, or what its arguments are. */
  readonly next: Completed;
}

export interface CompletedOption {
  /** As typed, with the short form if there is one. */
  readonly flags: readonly string[];
  readonly description: string;
  /** Undefined for a switch. */
  readonly value?: Completed;
}

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** The completion script for a shell: commands, subcommands and options, their values, and files where one is named. */
export function completionScript(shell: Shell, commands: readonly CompletedCommand[]): string {
  return SCRIPTS[shell](commands);
}

const SCRIPTS = { bash, zsh, fish } as const satisfies Record<Shell, (commands: readonly CompletedCommand[]) => string>;

function bash(commands: readonly CompletedCommand[]): string {
  return `_haverdict() {
  local word=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]} words= files=
  COMPREPLY=()
  # --option=value comes as three words
  [[ $word == = ]] && word=
  [[ $previous == = ]] && previous=\${COMP_WORDS[COMP_CWORD-2]}
  if [ "$COMP_CWORD" -eq 1 ]; then
    words='${names(commands)} help'
  elif [ "$command" = help ]; then
    words='${names(commands)}'
  else
${choice(commands, { third: `\${COMP_WORDS[2]}`, files: 'files=1', words: (words) => `words='${words}'` })}
  fi
  if [ -n "$words" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$word"))
  elif [ -z "$files" ]; then
    compopt +o default 2> /dev/null
  fi
}
complete -o default -F _haverdict haverdict
`;
}

function zsh(commands: readonly CompletedCommand[]): string {
  return `#compdef haverdict
_haverdict() {
  local -a commands
  local word=$words[CURRENT] previous=$words[CURRENT-1] command=$words[2]
  commands=(
${topLevel(commands)
  .map(({ name, description }) => `    ${quoted(`${name}:${description}`)}`)
  .join('\n')}
    'help:display help for command'
  )
  if (( CURRENT == 2 )) || [[ $command == help ]]; then
    _describe command commands
    return
  fi
  if [[ $word == --*=* ]]; then
    previous=\${word%%=*}
    word=\${word#*=}
    compset -P '*='
  fi
${choice(commands, { third: '$words[3]', files: '_files', words: (words) => `compadd -- ${words}` })}
}
if [[ $funcstack[1] == _haverdict ]]; then _haverdict "$@"; else compdef _haverdict haverdict; fi
`;
}

/** How a shell says what `choice` needs. */
interface Dialect {
  /** The word after the command. */
  readonly third: string;
  readonly files: string;
  words(words: string): string;
}

/** The statements that find what to complete after the command. */
function choice(commands: readonly CompletedCommand[], { third, files, words }: Dialect): string {
  const does = (what: Completed) => (what === 'files' ? files : what === 'nothing' ? ':' : words(what.join(' ')));
  const values = commands.flatMap(({ name, options }) =>
    options.flatMap(({ flags, value }) =>
      value === undefined ? [] : [`${flags.map((flag) => `'${name} ${flag}'`).join('|')}) ${does(value)} ;;`],
    ),
  );
  const others = subcommandsFirst(commands).flatMap(({ name, options, next }) => [
    `'${name} -'*) ${words(options.flatMap(({ flags }) => flags.filter((flag) => flag.startsWith('--'))).join(' '))} ;;`,
    `'${name} '*) ${does(next)} ;;`,
  ]);
  const subcommands = commands.filter(({ name }) => name.includes(' ')).map(({ name }) => `'${name}'`);
  return `    case "$command ${third}" in
      ${subcommands.join('|')}) [[ $previous == "$command" ]] || command="$command ${third}" ;;
    esac
    case "$command $previous" in
${values.map((line) => `      ${line}`).join('\n')}
      *) case "$command $word" in
${others.map((line) => `        ${line}`).join('\n')}
      esac ;;
    esac`;
}

/** Their names begin with that of their command, and the first pattern that fits counts. */
function subcommandsFirst(commands: readonly CompletedCommand[]): readonly CompletedCommand[] {
  return commands.toSorted((one, other) => other.name.split(' ').length - one.name.split(' ').length);
}

function fish(commands: readonly CompletedCommand[]): string {
  const lines = commands.flatMap(({ name, description, options, next }) => {
    const [command = '', sub] = name.split(' ');
    const top = `__fish_seen_subcommand_from ${command}`;
    const here = quoted(sub === undefined ? top : `${top}; and __fish_seen_subcommand_from ${sub}`);
    const itself =
      sub === undefined
        ? `complete -c haverdict -n __fish_use_subcommand -a ${name} -d ${quoted(description)}`
        : `complete -c haverdict -n ${quoted(top)} -a ${sub} -d ${quoted(description)}`;
    const rest = next === 'files' ? ['-F'] : next === 'nothing' || hasSubcommands(name, commands) ? [] : [list(next)];
    return [
      itself,
      ...options.map((option) => `complete -c haverdict -n ${here} ${fishOption(option)}`),
      ...rest.map((what) => `complete -c haverdict -n ${here} ${what}`),
    ];
  });
  return `${['complete -c haverdict -f', 'complete -c haverdict -n __fish_use_subcommand -a help', ...lines].join('\n')}\n`;
}

function fishOption({ flags, description, value }: CompletedOption): string {
  const named = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const taken =
    value === undefined ? [] : value === 'files' ? ['-r -F'] : value === 'nothing' ? ['-x'] : [`-x ${list(value)}`];
  return [...named, `-d ${quoted(description)}`, ...taken].join(' ');
}

function list(words: readonly string[]): string {
  return `-a ${quoted(words.join(' '))}`;
}

function hasSubcommands(name: string, commands: readonly CompletedCommand[]): boolean {
  return commands.some((other) => other.name.startsWith(`${name} `));
}

function topLevel(commands: readonly CompletedCommand[]): readonly CompletedCommand[] {
  return commands.filter(({ name }) => !name.includes(' '));
}

function names(commands: readonly CompletedCommand[]): string {
  return topLevel(commands)
    .map(({ name }) => name)
    .join(' ');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

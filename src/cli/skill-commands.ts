// `venom skills`: its arguments.
import { type Command, Option } from 'commander';
import type { CommandContext } from './command-context.js';
import { answerQuestion, listQuestions } from './commands/questions.js';
import {
  answerApproval,
  approveOwnSkill,
  callSkill,
  listApprovals,
  listOwnSkills,
  listSkills,
  permitSkill,
  type SkillScope,
  scaffoldSkill,
  showSkill,
  switchOwnSkill,
} from './commands/skills.js';

export function addSkillCommands(program: Command, context: () => CommandContext): void {
  const skills = program.command('skills').description('tools that models may call');
  const session = () => new Option('-s, --session <id>', 'only in this session');
  skills
    .command('list')
    .description('tools, best match first where words are given')
    .argument('[words...]')
    .action((words: string[]) => listSkills(context(), words));
  skills
    .command('show')
    .description('what a tool takes, and what it may do')
    .argument('<name>')
    .action((name: string) => showSkill(context(), name));
  skills
    .command('call')
    .description('call a tool yourself')
    .argument('<name>')
    .argument('[input]', 'JSON')
    .addOption(session())
    .action((name: string, input: string | undefined, options: SkillScope) =>
      callSkill(context(), name, input, options),
    );
  skills
    .command('allow')
    .description('let a tool run without asking, until its definition changes')
    .argument('<name>')
    .addOption(session())
    .option('--ask', 'ask each time instead')
    .option('--default', 'take the decision back')
    .action((name: string, options: SkillScope & { ask?: boolean; default?: boolean }) =>
      permitSkill(context(), name, options.default ? 'default' : options.ask ? 'ask' : 'always', options),
    );
  skills
    .command('deny')
    .description('never call a tool')
    .argument('<name>')
    .addOption(session())
    .action((name: string, options: SkillScope) => permitSkill(context(), name, 'never', options));
  skills
    .command('approvals')
    .description('calls that wait for your yes; with an id and a decision, answer one')
    .argument('[id]')
    .argument('[decision]', 'once, session, always or deny')
    .option('-a, --all', 'answered ones as well')
    .action((id: string | undefined, decision: string | undefined, options: { all?: boolean }) =>
      id === undefined ? listApprovals(context(), options) : answerApproval(context(), id, decision ?? 'once'),
    );
  skills
    .command('questions')
    .description('what tools ask you while they work')
    .option('-a, --all', 'answered ones as well')
    .action((options: { all?: boolean }) => listQuestions(context(), options));
  skills
    .command('answer')
    .description('answer what a tool asks you; what you do not give has its default')
    .argument('<id>')
    .argument('[values...]', 'name=value; yes or no; choices with commas')
    .option('--decline', 'say no')
    .option('--cancel', 'give no answer')
    .action((id: string, values: string[], options: { decline?: boolean; cancel?: boolean }) =>
      answerQuestion(context(), id, values, options),
    );
  skills
    .command('own')
    .description('skills of the workspace, and what was approved of them')
    .action(() => listOwnSkills(context()));
  skills
    .command('approve')
    .description('let a skill of your own be used as it lies there now')
    .argument('<name>')
    .argument('[hash]', 'only if it is this version still')
    .action((name: string, hash?: string) => approveOwnSkill(context(), name, hash, 'approve'));
  skills
    .command('rollback')
    .description('go back to a version that was approved before; its files replace those that lie there')
    .argument('<name>')
    .argument('<hash>')
    .action((name: string, hash: string) => approveOwnSkill(context(), name, hash, 'rollback'));
  for (const to of ['enable', 'disable'] as const)
    skills
      .command(to)
      .description(to === 'enable' ? 'offer a skill of your own again' : 'offer nothing of a skill of your own')
      .argument('<name>')
      .action((name: string) => switchOwnSkill(context(), name, to));
  skills
    .command('new')
    .description('a skill of your own, with a test that runs')
    .argument('<name>')
    .action((name: string) => scaffoldSkill(context(), name));
}

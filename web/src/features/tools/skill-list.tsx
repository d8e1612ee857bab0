// What Venom itself offers to a model: its skills, what each may do, who may call it, and trying it.
import { Accordion, Badge, Group, Stack, TextInput, Title } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Empty, Failed, Loading } from '../../components/states';
import { callSkill } from './api/call-tool';
import { type Skill, useSkill, useSkillPermission, useSkills } from './api/get-skills';
import { PermissionChoice } from './permission-choice';
import { ToolDetails } from './tool-details';
import { ToolHead } from './tool-head';

export function SkillList() {
  const { t } = useTranslation();
  const skills = useSkills();
  const [filter, setFilter] = useState('');
  const own = skills.data?.filter(({ source }) => source.kind === 'builtin') ?? [];
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = own.filter(({ name, title, description }) => {
    const text = `${name} ${title} ${description}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const groups = Map.groupBy(shown, ({ source }) => source.id);
  return (
    <Stack gap="lg">
      <TextInput
        aria-label={t('tools.filter')}
        placeholder={t('tools.filter')}
        leftSection={<IconSearch size={16} aria-hidden />}
        value={filter}
        onChange={(event) => setFilter(event.currentTarget.value)}
      />
      {skills.isPending && <Loading />}
      {skills.isError && <Failed error={skills.error} onRetry={() => void skills.refetch()} />}
      {skills.isSuccess && shown.length === 0 && <Empty>{t('sessions.nothing')}</Empty>}
      {[...groups].map(([id, tools]) => (
        <section key={id} aria-label={t(`tools.skill.${id}`, { defaultValue: id })}>
          <Title order={2} size="h5" mb="xs">
            {t(`tools.skill.${id}`, { defaultValue: id })}
          </Title>
          <SkillAccordion skills={tools} />
        </section>
      ))}
    </Stack>
  );
}

export function SkillAccordion({ skills }: { skills: readonly Skill[] }) {
  return (
    <Accordion variant="contained" className="tool-accordion" keepMounted={false}>
      {skills.map((skill) => (
        <Accordion.Item key={skill.name} value={skill.name}>
          <Accordion.Control>
            <SkillHead skill={skill} />
          </Accordion.Control>
          <Accordion.Panel>
            <OneSkill skill={skill} />
          </Accordion.Panel>
        </Accordion.Item>
      ))}
    </Accordion>
  );
}

function SkillHead({ skill }: { skill: Skill }) {
  const { t } = useTranslation();
  return (
    <ToolHead
      name={skill.name.slice(skill.source.id.length + 2)}
      text={skill.description}
      promptTokens={skill.prompt_tokens}
      badge={{ variant: 'default', children: t(`tools.permission.${skill.permission}`) }}
    />
  );
}

function OneSkill({ skill }: { skill: Skill }) {
  const { t } = useTranslation();
  const detail = useSkill(skill.name);
  const permit = useSkillPermission();
  if (detail.isPending) return <Loading />;
  if (detail.isError) return <Failed error={detail.error} onRetry={() => void detail.refetch()} />;
  const changed = skill.permission_reason === 'definition_changed';
  return (
    <ToolDetails
      name={skill.name}
      description={skill.description}
      badges={
        <Group gap={6}>
          <Badge size="sm" variant="default" tt="none">
            {t(skill.read_only ? 'approval.risk.reads' : 'approval.risk.changes')}
          </Badge>
          {skill.egress && (
            <Badge size="sm" variant="light" color="orange" tt="none">
              {t('approval.risk.egress')}
            </Badge>
          )}
          {changed && (
            <Badge size="sm" variant="light" color="orange" tt="none">
              {t('approval.risk.changed')}
            </Badge>
          )}
        </Group>
      }
      schemas={[{ title: t('tools.schema.input'), schema: detail.data.input_schema }]}
      permission={
        <PermissionChoice
          tool={skill.name}
          value={skill.permission}
          disabled={permit.isPending}
          onChange={(permission) =>
            permit.mutate({
              name: skill.name,
              // What it would be anyway is no decision of its own.
              permission: permission === skill.default_permission ? 'default' : permission,
            })
          }
        />
      }
      tryIt={
        skill.permission === 'never'
          ? null
          : { tool: skill.name, schema: detail.data.input_schema, call: callSkill(skill.name) }
      }
      why={t('tools.try.why.never')}
    />
  );
}

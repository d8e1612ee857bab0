// Skills of one's own: what lies in the workspace, what of it is in use, and the beginning of a new one.
import { Badge, Button, Code, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconPlus } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { AnchorLink } from '../../components/links';
import { Empty, Failed, Loading } from '../../components/states';
import { visibleText } from '../../lib/visible-text';
import { type OwnSkill, useNewSkill, useOwnSkills } from './api/own-skills';

const COLORS: Record<OwnSkill['state'], string> = {
  new: 'orange',
  approved: 'teal',
  changed: 'orange',
  disabled: 'gray',
  broken: 'red',
};

export function OwnSkills() {
  const { t } = useTranslation();
  const skills = useOwnSkills();
  const [beginning, { open, close }] = useDisclosure(false);
  return (
    <Stack gap="md">
      <Group justify="space-between">
        <Text size="sm" className="muted" maw={640}>
          {t('tools.own.lead')}
        </Text>
        <Button size="xs" variant="default" leftSection={<IconPlus size={14} aria-hidden />} onClick={open}>
          {t('tools.own.new')}
        </Button>
      </Group>
      {skills.isPending && <Loading />}
      {skills.isError && <Failed error={skills.error} onRetry={() => void skills.refetch()} />}
      {skills.data?.length === 0 && <Empty>{t('tools.own.empty')}</Empty>}
      {skills.data?.map((skill) => (
        <SkillCard key={skill.name} skill={skill} />
      ))}
      <NewSkillDialog opened={beginning} onClose={close} />
    </Stack>
  );
}

export function OwnStateBadge({ state }: { state: OwnSkill['state'] }) {
  const { t } = useTranslation();
  return (
    <Badge
      variant={state === 'approved' || state === 'disabled' ? 'dot' : 'light'}
      size="sm"
      tt="none"
      color={COLORS[state]}
    >
      {t(`tools.own.state.${state}`)}
    </Badge>
  );
}

function SkillCard({ skill }: { skill: OwnSkill }) {
  return (
    <article className="panel tool-card" aria-label={skill.name}>
      <Group gap={8}>
        <AnchorLink
          to="/tools/skills/$name"
          params={{ name: skill.name }}
          className="tool-link"
          c="var(--mantine-color-text)"
          fw={600}
        >
          {skill.name}
        </AnchorLink>
        <OwnStateBadge state={skill.state} />
      </Group>
      <Text size="sm" mt={2} lineClamp={2} {...(skill.problem ? { c: 'red' } : {})}>
        {visibleText(skill.problem ?? skill.description)}
      </Text>
      <Group gap={6} mt={6}>
        {skill.functions.slice(0, 12).map((name) => (
          <Code key={name}>{name}</Code>
        ))}
      </Group>
    </article>
  );
}

function NewSkillDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [name, setName] = useState('');
  const begin = useNewSkill();
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={t('tools.own.new')}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          begin.mutate(name, {
            onSuccess: (skill) => void navigate({ to: '/tools/skills/$name', params: { name: skill.name } }),
          });
        }}
      >
        <Stack gap="sm">
          <Text size="sm">{t('tools.own.new.about')}</Text>
          <TextInput
            data-autofocus
            label={t('tools.grants.name')}
            description={t('tools.own.name.about')}
            maxLength={24}
            autoComplete="off"
            spellCheck={false}
            value={name}
            error={begin.isError && begin.error.message}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('action.cancel')}
            </Button>
            <Button type="submit" disabled={!/^[a-z][a-z0-9_-]*$/.test(name)} loading={begin.isPending}>
              {t('tools.own.begin')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

// One skill of one's own: what waits for a yes, its files to edit, its functions to try, and the versions to go back to.
import { Alert, Button, Code, Group, Stack, Switch, Tabs, Text, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconAlertTriangle, IconArrowBackUp, IconArrowLeft, IconTrash } from '@tabler/icons-react';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { AnchorLink } from '../../components/links';
import { ScrollRow } from '../../components/scroll-row';
import { Empty, Failed, Loading } from '../../components/states';
import { moment } from '../../lib/format';
import { visibleText } from '../../lib/visible-text';
import { useSkills } from './api/get-skills';
import { type OwnSkill, type OwnSkillDetail, type SkillFile, useOwnSkill, useOwnSkillAction } from './api/own-skills';
import { Lines } from './definition-diff';
import { OwnStateBadge } from './own-skills';
import { Sure } from './server-actions';
import { SkillEditor } from './skill-editor';
import { SkillAccordion } from './skill-list';

export function OwnSkillPage() {
  const { t } = useTranslation();
  const { name } = useParams({ from: '/tools/skills/$name' });
  const skill = useOwnSkill(name);
  return (
    <div className="page">
      <AnchorLink to="/tools" search={{ tab: 'own' }} size="sm" className="back-link">
        <IconArrowLeft size={15} aria-hidden /> {t('tools.tab.own')}
      </AnchorLink>
      {skill.isPending && <Loading />}
      {skill.isError && <Failed error={skill.error} onRetry={() => void skill.refetch()} />}
      {skill.data && <Detail key={name} detail={skill.data} />}
    </div>
  );
}

function Detail({ detail }: { detail: OwnSkillDetail }) {
  const { t } = useTranslation();
  const { skill, files } = detail;
  return (
    <Stack gap="lg">
      <Head skill={skill} />
      {skill.problem && (
        <Alert
          color="red"
          variant="light"
          icon={<IconAlertTriangle size={18} aria-hidden />}
          title={t('tools.own.broken')}
        >
          {visibleText(skill.problem)}
        </Alert>
      )}
      {skill.hash !== null && skill.hash !== skill.approved_hash && <WaitingVersion detail={detail} />}
      <Tabs defaultValue="files" keepMounted>
        <ScrollRow>
          <Tabs.List>
            <Tabs.Tab value="files">{t('tools.own.files')}</Tabs.Tab>
            <Tabs.Tab value="functions">{t('tools.own.functions')}</Tabs.Tab>
            <Tabs.Tab value="versions">{`${t('tools.own.versions')} (${skill.versions.length})`}</Tabs.Tab>
          </Tabs.List>
        </ScrollRow>
        <Tabs.Panel value="files" pt="md">
          <SkillEditor name={skill.name} files={files} />
        </Tabs.Panel>
        <Tabs.Panel value="functions" pt="md">
          <Functions skill={skill} />
        </Tabs.Panel>
        <Tabs.Panel value="versions" pt="md">
          <Versions skill={skill} />
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
}

function Head({ skill }: { skill: OwnSkill }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const action = useOwnSkillAction(skill.name);
  const [removing, remove] = useDisclosure(false);
  return (
    <Group justify="space-between" align="flex-start">
      <div style={{ minWidth: 0 }}>
        <Title order={1} size="h2" style={{ overflowWrap: 'anywhere' }}>
          {skill.name}
        </Title>
        <Group gap={6} mt={4}>
          <OwnStateBadge state={skill.state} />
          <Text size="sm" className="muted">
            {visibleText(skill.description)}
          </Text>
        </Group>
      </div>
      <Group gap="xs">
        {skill.approved_hash !== null && (
          <Switch
            label={t('tools.enabled')}
            checked={skill.enabled}
            disabled={action.isPending}
            onChange={() => action.mutate({ action: skill.enabled ? 'disable' : 'enable' })}
          />
        )}
        <Button
          size="xs"
          variant="default"
          color="red"
          leftSection={<IconTrash size={14} aria-hidden />}
          onClick={remove.open}
        >
          {t('tools.remove')}
        </Button>
      </Group>
      <Sure
        opened={removing}
        title={t('tools.remove')}
        button={t('tools.remove')}
        loading={action.isPending}
        onClose={remove.close}
        onSure={() =>
          // Not a callback of `mutate`: it is not called once this page is gone, and it goes when the skill does.
          void action.mutateAsync({ action: 'remove' }).then(
            () => navigate({ to: '/tools', search: { tab: 'own' }, ignoreBlocker: true }),
            () => undefined,
          )
        }
      >
        {t('tools.own.remove.sure', { name: skill.name })}
      </Sure>
    </Group>
  );
}

/** What would be agreed to: the difference from what is in use, or all of it where nothing is. */
function WaitingVersion({ detail: { skill, files, approved_files: approved } }: { detail: OwnSkillDetail }) {
  const { t } = useTranslation();
  const action = useOwnSkillAction(skill.name);
  const changes = changesBetween(approved, files);
  return (
    <section className="panel attention" aria-labelledby="waiting-version">
      <Group gap={8} wrap="nowrap" mb={4}>
        <IconAlertTriangle size={18} aria-hidden />
        <Title order={2} size="h5" id="waiting-version">
          {t(approved.length === 0 ? 'tools.own.waiting.new' : 'tools.own.waiting.changed')}
        </Title>
      </Group>
      <Text size="sm" mb="md">
        {t(approved.length === 0 ? 'tools.own.waiting.new.about' : 'tools.own.waiting.changed.about')}
      </Text>
      <Stack gap="sm">
        {changes.map(({ path, before, after }) => (
          <details key={path} className="schema-details" open={approved.length > 0}>
            <summary>{path}</summary>
            <div style={{ marginTop: 6 }}>
              <Lines before={visibleText(before)} after={visibleText(after)} />
            </div>
          </details>
        ))}
      </Stack>
      <Group justify="space-between" mt="md">
        <Text size="xs" className="muted">
          {t('tools.own.hash')} <Code>{skill.hash?.slice(0, 16)}…</Code>
        </Text>
        <Button
          loading={action.isPending}
          onClick={() => skill.hash && action.mutate({ action: 'approve', hash: skill.hash })}
        >
          {t('tools.own.approve')}
        </Button>
      </Group>
    </section>
  );
}

function changesBetween(before: readonly SkillFile[], after: readonly SkillFile[]) {
  const text = (files: readonly SkillFile[], path: string) => {
    const file = files.find((each) => each.path === path);
    return file ? (file.text ?? `(${file.size_bytes} B)`) : '';
  };
  const paths = [...new Set([...after, ...before].map(({ path }) => path))];
  return paths
    .map((path) => ({ path, before: text(before, path), after: text(after, path) }))
    .filter((change) => change.before !== change.after);
}

function Functions({ skill }: { skill: OwnSkill }) {
  const { t } = useTranslation();
  const skills = useSkills();
  const own =
    skills.data?.filter(({ source }) => source.kind === 'custom' && source.id === `custom_${skill.name}`) ?? [];
  if (skills.isPending) return <Loading />;
  if (skills.isError) return <Failed error={skills.error} onRetry={() => void skills.refetch()} />;
  if (own.length === 0) return <Empty>{t('tools.own.functions.none')}</Empty>;
  return <SkillAccordion skills={own} />;
}

function Versions({ skill }: { skill: OwnSkill }) {
  const { t, i18n } = useTranslation();
  const action = useOwnSkillAction(skill.name);
  const [wanted, setWanted] = useState<string | null>(null);
  if (skill.versions.length === 0) return <Empty>{t('tools.own.versions.none')}</Empty>;
  return (
    <>
      <Stack gap="xs" component="ul" m={0} p={0} style={{ listStyle: 'none' }}>
        {skill.versions.map(({ hash, approved_at: at }) => (
          <li key={hash} className="panel" style={{ padding: '10px 14px' }}>
            <Group justify="space-between">
              <Text size="sm">
                <Code>{hash.slice(0, 12)}</Code> · {t('tools.own.approved', { time: moment(at, i18n.language) })}
              </Text>
              {hash === skill.approved_hash && hash === skill.hash ? (
                <Text size="xs" className="muted">
                  {t('tools.own.inUse')}
                </Text>
              ) : (
                <Button
                  size="compact-sm"
                  variant="default"
                  leftSection={<IconArrowBackUp size={14} aria-hidden />}
                  aria-label={`${t('tools.rollback')} ${hash.slice(0, 12)}`}
                  onClick={() => setWanted(hash)}
                >
                  {t('tools.rollback')}
                </Button>
              )}
            </Group>
          </li>
        ))}
      </Stack>
      <Sure
        opened={wanted !== null}
        title={t('tools.rollback')}
        button={t('tools.rollback')}
        loading={action.isPending}
        onClose={() => setWanted(null)}
        onSure={() =>
          wanted && action.mutate({ action: 'rollback', hash: wanted }, { onSuccess: () => setWanted(null) })
        }
      >
        {t('tools.own.rollback.sure', { version: wanted?.slice(0, 12) ?? '' })}
      </Sure>
    </>
  );
}

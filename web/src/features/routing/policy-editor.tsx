// The policy: read as a tree with the way of the last dry run in it, or written as JSON; templates to begin with.
import { Badge, Button, Group, JsonInput, Menu, SegmentedControl, Text, Title } from '@mantine/core';
import { IconChevronDown } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { PolicyTree } from '../../../../src/contract/routing';
import { Empty, Failed, Loading } from '../../components/states';
import { usePolicy, useRoutingAction } from './api/get-routing';
import { POLICY_TEMPLATES } from './policy-templates';
import { PolicyTreeView } from './policy-tree-view';

export function PolicyEditor({ path }: { path: string[] | null }) {
  const { t } = useTranslation();
  const [view, setView] = useState<'tree' | 'json'>('tree');
  const policy = usePolicy();
  const action = useRoutingAction();
  const [draft, setDraft] = useState<string>();
  const current = JSON.stringify(policy.data?.policy ?? null, null, 2);
  const text = draft ?? current;
  const parsed = parse(text);
  const tree = PolicyTree.safeParse(parsed);
  const save = (tree: unknown) =>
    action.mutate(
      { path: '/routing/policy', method: 'PUT', json: { policy: tree, expected_version: policy.data?.version } },
      { onSuccess: () => setDraft(undefined) },
    );
  return (
    <section className="panel" style={{ padding: 16 }} aria-labelledby="policy">
      <Group justify="space-between">
        <Title order={2} size="h5" id="policy">
          {t('routing.policy')}
        </Title>
        {policy.data && (
          <Badge variant="default" tt="none">
            {policy.data.source === 'stored'
              ? t('routing.stored', { number: policy.data.version })
              : t('routing.stored.none')}
          </Badge>
        )}
      </Group>
      <Text size="xs" className="muted" mb="sm">
        {t('routing.policy.lead')}
      </Text>
      {policy.isPending && <Loading />}
      {policy.isError && <Failed error={policy.error} onRetry={() => void policy.refetch()} />}
      {policy.data && (
        <>
          <Group justify="space-between" mb="sm" gap="xs">
            <SegmentedControl
              size="xs"
              aria-label={t('routing.policy.view')}
              value={view}
              data={[
                { value: 'tree', label: t('routing.policy.tree') },
                { value: 'json', label: 'JSON' },
              ]}
              onChange={(value) => setView(value as typeof view)}
            />
            <Menu position="bottom-end">
              <Menu.Target>
                <Button size="xs" variant="default" rightSection={<IconChevronDown size={14} aria-hidden />}>
                  {t('routing.policy.templates')}
                </Button>
              </Menu.Target>
              <Menu.Dropdown>
                {POLICY_TEMPLATES.map(({ id, policy: template }) => (
                  <Menu.Item key={id} onClick={() => setDraft(JSON.stringify(template, null, 2))}>
                    {t(`routing.template.${id}`)}
                    <Text size="xs" className="muted">
                      {t(`routing.template.${id}.lead`)}
                    </Text>
                  </Menu.Item>
                ))}
              </Menu.Dropdown>
            </Menu>
          </Group>
          {view === 'tree' && parsed === null && <Empty>{t('routing.policy.none')}</Empty>}
          {view === 'tree' && parsed !== null && tree.success && (
            <PolicyTreeView node={tree.data} path={draft === undefined ? path : null} />
          )}
          {view === 'tree' && parsed !== null && !tree.success && (
            <Text size="sm" c="var(--mantine-color-red-light-color)" role="alert">
              {t('routing.policy.broken')} {tree.error.issues[0]?.message}
            </Text>
          )}
          <JsonInput
            display={view === 'json' ? undefined : 'none'}
            autosize
            minRows={6}
            maxRows={24}
            aria-label={t('routing.policy')}
            validationError={t('routing.policy.invalid')}
            value={text}
            onChange={setDraft}
            styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 12 } }}
          />
          <Group justify="flex-end" mt="sm" gap="xs">
            <Button variant="default" disabled={draft === undefined} onClick={() => setDraft(undefined)}>
              {t('action.cancel')}
            </Button>
            <Button variant="default" onClick={() => save(null)}>
              {t('routing.policy.reset')}
            </Button>
            <Button
              disabled={draft === undefined || !(parsed === null || tree.success)}
              loading={action.isPending}
              onClick={() => save(parsed)}
            >
              {t('action.save')}
            </Button>
          </Group>
        </>
      )}
    </section>
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

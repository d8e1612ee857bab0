// Beside what failed: where the reader can do something about it. Nothing where there is nothing to do, or where that is here.
import { useLocation } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { adviceFor } from '../lib/error-advice';
import { AnchorLink } from './links';

export function ErrorAdvice({ code }: { code: string | null | undefined }) {
  const { t } = useTranslation();
  const { pathname } = useLocation();
  const advice = adviceFor(code);
  if (!advice || advice.to === pathname) return null;
  return (
    <AnchorLink to={advice.to} size="sm" c="inherit" underline="always" fw={500}>
      {t(advice.labelKey)}
    </AnchorLink>
  );
}

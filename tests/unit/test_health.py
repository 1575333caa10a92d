"""What is said of versions, rights and places, without a server."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import make_url

from bootstrap.backends.health import Circumstances, Finding, Lines, Verdict
from bootstrap.backends.mariadb.health import LINES as MARIADB
from bootstrap.backends.mysql.health import LINES as MYSQL
from bootstrap.backends.mysql.rights import Rights
from bootstrap.backends.postgresql.health import LINES as POSTGRESQL
from bootstrap.backends.sqlite.health import file_system, placed
from bootstrap.examining.doctoring import DoctorReport
from bootstrap.examining.told import of_settings
from bootstrap.reports.findings import findings
from bootstrap.reports.markdown import summary
from bootstrap.settings import resolve

TODAY = date(2026, 11, 21)
MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:35 / /srv/with\\040blank rw - nfs4 server:/export rw
41 22 0:36 / /srv rw shared:2 master:1 - xfs /dev/sdb1 rw
"""


@pytest.mark.parametrize(
    ("lines", "version", "verdict", "said"),
    [
        (POSTGRESQL, (17, 10), Verdict.FINE, "until 2029-11-08"),
        (POSTGRESQL, (14, 23), Verdict.WARNING, "since 2026-11-12"),
        (POSTGRESQL, (12, 22), Verdict.WARNING, "any more"),
        (POSTGRESQL, (19, 0), Verdict.FINE, "PostgreSQL 19.0"),
        (MYSQL, (8, 0, 46), Verdict.WARNING, "since 2026-04-30"),
        (MYSQL, (8, 4, 9), Verdict.FINE, "until 2032-04-30"),
        (MYSQL, (9, 3, 0), Verdict.WARNING, "any more"),
        (MARIADB, (10, 11, 6), Verdict.FINE, "until 2028-02-16"),
        (MARIADB, (11, 7, 2), Verdict.WARNING, "any more"),
    ],
)
def test_a_version_is_told_with_the_day_on_which_its_fixes_end(
    lines: Lines, version: tuple[int, ...], verdict: Verdict, said: str
) -> None:
    found, text, hint = lines.said(version, TODAY)

    assert verdict is found
    assert said in text
    assert (lines.source in hint) == (verdict is Verdict.WARNING)


def test_fixes_end_with_the_day_that_is_named() -> None:
    assert Verdict.FINE is POSTGRESQL.said((14, 23), date(2026, 11, 12))[0]
    assert Verdict.WARNING is POSTGRESQL.said((14, 23), date(2026, 11, 13))[0]


@pytest.mark.parametrize(
    ("url", "remote"),
    [
        ("postgresql://db/app", True),
        ("postgresql://10.0.0.7/app", True),
        ("postgresql://[2001:db8::1]/app", True),
        ("postgresql:///app?host=db:5432", True),
        ("postgresql:///app?host=localhost:5432&host=db:5432", True),
        ("postgresql://localhost/app", False),
        ("postgresql://127.0.0.1:5433/app", False),
        ("postgresql://[::1]/app", False),
        ("postgresql:///app?host=/run/postgresql", False),
        ("postgresql:///app", False),
        ("mysql:///app?unix_socket=/run/mysqld/mysqld.sock", False),
    ],
)
def test_whether_the_way_to_a_server_leaves_the_machine(url: str, *, remote: bool) -> None:
    assert remote == Circumstances(url=make_url(url), today=TODAY).is_remote


def rights(*lines: str) -> Rights:
    return Rights.read(lines, account="'app'@'%'")


def test_rights_are_read_by_the_place_that_they_are_for() -> None:
    found = rights(
        "GRANT PROCESS ON *.* TO `app`@`%` IDENTIFIED BY PASSWORD '*ABC'",
        "GRANT SELECT, CREATE ON `shop`.* TO `app`@`%`",
        "GRANT ALL PRIVILEGES ON `test\\_%`.* TO `app`@`%` WITH GRANT OPTION",
        "GRANT DROP ON `other`.`items` TO `app`@`%`",
        "GRANT `reader`@`%` TO `app`@`%`",
    )

    assert found.everywhere("PROCESS")
    assert found.on("shop", "CREATE")
    assert found.on("shop", "PROCESS")
    assert not found.on("shop", "DROP")
    assert found.on("test_1", "DROP")
    assert not found.on("tests", "DROP")
    assert not found.on("other", "DROP")


def test_a_partial_revoke_goes_before_what_was_granted_everywhere() -> None:
    found = rights(
        "GRANT CREATE, DROP ON *.* TO `app`@`%`", "REVOKE DROP ON `shop`.* FROM `app`@`%`"
    )

    assert found.on("shop", "CREATE")
    assert not found.on("shop", "DROP")
    assert found.on("another", "DROP")


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/app/app.db", "ext4"), ("/srv/app.db", "xfs"), ("/srv/with blank/app.db", "nfs4")],
)
def test_the_file_system_of_a_path_is_that_of_the_nearest_mount(path: str, kind: str) -> None:
    assert kind == file_system(Path(path), MOUNTS)


def test_a_file_on_a_network_is_warned_of() -> None:
    assert Verdict.WARNING is placed("nfs4")[0]
    assert Verdict.FINE is placed("ext4")[0]


def told(folder: Path, **environ: str) -> list[tuple[Verdict, str, str]]:
    found = of_settings(resolve(environ=environ, cwd=folder), environ)
    return [(one.verdict, one.text, one.hint) for one in found]


def test_a_variable_that_is_hidden_by_another_one_is_told(tmp_path: Path) -> None:
    found = told(tmp_path, BOOTSTRAP_URL="sqlite:///a.db", DATABASE_URL="sqlite:///b.db")

    assert [
        (
            Verdict.FINE,
            "the database is sqlite:///a.db (environment BOOTSTRAP_URL)",
            "",
        ),
        (
            Verdict.WARNING,
            "DATABASE_URL names another database than BOOTSTRAP_URL, which goes first",
            "unset DATABASE_URL, or BOOTSTRAP_URL",
        ),
    ] == found


def test_the_same_database_in_two_variables_is_no_trap(tmp_path: Path) -> None:
    found = told(tmp_path, BOOTSTRAP_URL="sqlite:///a.db", DATABASE_URL="sqlite:///a.db")

    assert [Verdict.FINE] == [verdict for verdict, _, _ in found]


def test_a_mistyped_variable_is_told_and_those_of_others_are_not(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        BOOTSTRAP_LOCK_TIMOUT="5",
        BOOTSTRAP_SERVICE_HOST="10.0.0.1",  # Kubernetes sets it for a service of that name
        DATABASE_URL="sqlite:///a.db",
    )

    assert ["did you mean BOOTSTRAP_LOCK_TIMEOUT?"] == [hint for _, _, hint in found if hint]


def test_a_password_in_a_file_of_the_project_is_told_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.bootstrap]\nurl = "postgresql://app:geheim@db/app"\n'
    )

    found = told(tmp_path)

    assert [Verdict.FINE, Verdict.WARNING] == [verdict for verdict, _, _ in found]
    assert "geheim" not in str(found)


REPORT = DoctorReport(
    database="postgresql://app@db/shop",
    backend="postgresql",
    server_version="17.10",
    findings=(
        Finding(check="version", verdict=Verdict.FINE, text="PostgreSQL 17.10"),
        Finding(check="rights", verdict=Verdict.PROBLEM, text="app must not", hint="GRANT CREATE;"),
        Finding(check="env.py", verdict=Verdict.PROBLEM, text="env.py failed"),
        Finding(check="pooler", verdict=Verdict.WARNING, text="a pooler is in between"),
    ),
)


def test_each_problem_is_an_annotation_with_how_to_mend_it() -> None:
    assert ["rights: app must not\nhint: GRANT CREATE;", "env.py: env.py failed", "No."] == list(
        findings(REPORT, no="No.")
    )


def test_the_summary_of_a_job_has_all_findings() -> None:
    shown = summary("doctor", REPORT, no="There are problems.")

    assert shown.startswith("### ❌ bootstrap doctor\n")
    assert "| problem | rights | app must not | GRANT CREATE; |\n" in shown
    assert "- **Database** postgresql://app@db/shop (postgresql 17.10)\n" in shown


def test_problems_make_a_database_unhealthy_and_warnings_do_not() -> None:
    only_warnings = replace(REPORT, findings=REPORT.findings[3:])

    assert (2, 1, False) == (REPORT.problems, REPORT.warnings, REPORT.is_healthy)
    assert (0, 1, True) == (
        only_warnings.problems,
        only_warnings.warnings,
        only_warnings.is_healthy,
    )

"""Files with certificates, keys and secrets: each mistake is named with its remedy."""

from __future__ import annotations

import grp
import pwd
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.files import exposure, intrusion, tampering, tls_problems
from tests.support.certificates import Authority


class FilesTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.authority = Authority(self.folder)
        self.ours = self.authority.issue("attendant")

    def file(self, name: str, data: bytes) -> str:
        path = self.folder / name
        path.write_bytes(data)
        return str(path)

    def problems(self, **files: str) -> list[tuple[str, str]]:
        named = {"ca_file": "", "certificate_file": "", "key_file": ""} | files
        return list(tls_problems(**named))

    def assert_one(self, key: str, *words: str, **files: str) -> None:
        """Look for one problem, on one line, of the key's own file."""
        [(found, message)] = self.problems(**files)
        self.assertEqual(found, key)
        self.assertTrue(message.isprintable())
        for word in words:
            self.assertIn(word, message)


class TlsFilesTests(FilesTestCase):
    def test_no_files_are_no_problem(self) -> None:
        self.assertEqual(self.problems(), [])

    def test_good_files_are_no_problem(self) -> None:
        files = {"ca_file": self.authority.ca_file} | self.ours._asdict()
        self.assertEqual(self.problems(**files), [])

    def test_key_and_certificate_may_share_a_file(self) -> None:
        parts = [Path(part).read_bytes() for part in self.ours]
        both = self.file("both.pem", b"".join(parts))
        self.assertEqual(self.problems(certificate_file=both), [])

    def test_missing_file(self) -> None:
        missing = str(self.folder / "missing.pem")
        self.assert_one(
            "ca_file", missing, "cannot be read: No such file", ca_file=missing
        )
        for key in ("certificate_file", "key_file"):
            files = self.ours._asdict() | {key: missing}
            self.assert_one(key, missing, "cannot be read: No such file", **files)

    def test_folder_is_no_file(self) -> None:
        folder = str(self.folder)
        self.assert_one("ca_file", "cannot be read: Is a directory", ca_file=folder)

    def test_impossible_file_name(self) -> None:
        self.assert_one("ca_file", r"'\x00' cannot be read", ca_file="\x00")

    def test_file_without_certificate(self) -> None:
        for data in (b"", b"\xff\x00", b"hello", Path(self.ours.key_file).read_bytes()):
            name = self.file("none.pem", data)
            self.assert_one(
                "ca_file", name, "no certificate", "BEGIN CERT", ca_file=name
            )

    def test_broken_certificate(self) -> None:
        whole = Path(self.ours.certificate_file).read_bytes()
        name = self.file("broken.pem", whole.replace(b"MII", b"AAA"))
        self.assert_one("ca_file", name, "has an invalid certificate", ca_file=name)

    def test_file_without_key(self) -> None:
        certificate = self.ours.certificate_file
        self.assert_one(
            "key_file",
            "no private key",
            certificate_file=certificate,
            key_file=certificate,
        )
        self.assert_one(
            "certificate_file", "no private key", certificate_file=certificate
        )

    def test_key_with_a_passphrase(self) -> None:
        key = load_pem_private_key(Path(self.ours.key_file).read_bytes(), None)
        encrypted = key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
        )
        files = self.ours._asdict() | {"key_file": self.file("it's.key", encrypted)}
        self.assert_one("key_file", "passphrase", "openssl pkey -in '/", **files)

    def test_key_of_another_certificate(self) -> None:
        another = self.authority.issue("another", file="another")
        files = self.ours._asdict() | {"key_file": another.key_file}
        self.assert_one(
            "key_file", another.key_file, self.ours.certificate_file, **files
        )

    def test_key_without_certificate(self) -> None:
        self.assert_one("key_file", "certificate_file", key_file=self.ours.key_file)

    def test_all_problems_are_reported_at_once(self) -> None:
        empty = self.file("empty", b"")
        found = self.problems(ca_file=empty, certificate_file=empty, key_file=empty)
        self.assertEqual(
            [key for key, _ in found], ["ca_file", "certificate_file", "key_file"]
        )


class ExposureTests(FilesTestCase):
    def test_file_that_others_can_read_is_named_with_the_remedy(self) -> None:
        name = self.file("it's a password", b"secret")
        for mode in (0o644, 0o604, 0o602, 0o666):
            Path(name).chmod(mode)
            warning = exposure(name)
            self.assertIn(f"mode {mode:04o}", warning)
            self.assertIn("chmod o-rwx '/", warning)

    def test_file_of_the_user_or_the_group_gives_no_warning(self) -> None:
        name = self.file("password", b"secret")
        for mode in (0o600, 0o400, 0o640, 0o660):
            Path(name).chmod(mode)
            self.assertEqual(exposure(name), "")

    def test_missing_file_gives_no_warning(self) -> None:
        self.assertEqual(exposure(str(self.folder / "missing")), "")
        self.assertEqual(exposure("\x00"), "")


class TamperingTests(FilesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.configuration = Path(self.file("it's twistd.conf", b""))

    def warning(self) -> str:
        return tampering(str(self.configuration))

    def test_file_that_others_can_write_gets_a_warning(self) -> None:
        for mode in (0o666, 0o602, 0o622):
            self.configuration.chmod(mode)
            self.assertIn(f"can change {self.configuration} (mode", self.warning())
            self.assertIn(f"mode {mode:04o}", self.warning())
            self.assertIn("chmod go-w '/", self.warning())

    def test_file_that_others_can_only_read_gives_none(self) -> None:
        for mode in (0o600, 0o640, 0o644, 0o555):
            self.configuration.chmod(mode)
            self.assertEqual(self.warning(), "")

    def test_folder_that_others_can_write_gets_a_warning(self) -> None:
        self.folder.chmod(0o777)
        self.assertIn(f"can replace {self.configuration}, and", self.warning())
        self.assertIn(
            f"its folder (mode 0777); to fix it: chmod go-w {self.folder}",
            (self.warning()),
        )

    def test_folder_with_the_sticky_bit_gives_none(self) -> None:
        self.folder.chmod(0o1777)
        self.assertEqual(self.warning(), "")

    def test_folder_of_a_links_target_counts(self) -> None:
        target = self.folder / "open" / "real.conf"
        target.parent.mkdir()
        target.write_bytes(b"")
        self.configuration.unlink()
        self.configuration.symlink_to(target)
        self.assertEqual(self.warning(), "")
        target.parent.chmod(0o777)
        self.assertIn(f"chmod go-w {target.parent}", self.warning())

    def test_group_counts_unless_it_is_the_owners_private_one(self) -> None:
        self.configuration.chmod(0o664)
        user = SimpleNamespace(pw_name="alice", pw_gid=1000)
        for name, number, members, is_private in (
            ("alice", 1000, [], True),
            ("alice", 1000, ["alice"], True),
            ("alice", 1000, ["alice", "bob"], False),
            ("users", 1000, [], False),
            ("alice", 1001, [], False),
        ):
            group = SimpleNamespace(gr_name=name, gr_gid=number, gr_mem=members)
            self.patch(pwd, "getpwuid", lambda _: user)
            self.patch(grp, "getgrgid", lambda _, group=group: group)
            self.assertEqual(self.warning() == "", is_private, group)

    def test_unknown_group_counts(self) -> None:
        def unknown(_number: int) -> None:
            raise KeyError

        self.configuration.chmod(0o664)
        self.patch(grp, "getgrgid", unknown)
        self.assertIn("mode 0664", self.warning())

    def test_missing_file_gives_no_warning(self) -> None:
        self.assertEqual(tampering(str(self.folder / "missing")), "")
        self.assertEqual(tampering("\x00"), "")


class IntrusionTests(FilesTestCase):
    def test_folder_that_others_can_write_gets_a_warning(self) -> None:
        for mode in (0o777, 0o1777, 0o703):
            self.folder.chmod(mode)
            warning = intrusion(str(self.folder))
            self.assertIn(f"files of their own into {self.folder} (mode", warning)
            self.assertIn(f"mode {mode:04o}", warning)
            self.assertIn(f"chmod go-w {self.folder}", warning)

    def test_folder_that_others_can_only_read_gives_none(self) -> None:
        for mode in (0o700, 0o755):
            self.folder.chmod(mode)
            self.assertEqual(intrusion(str(self.folder)), "")

    def test_missing_folder_gives_none(self) -> None:
        self.assertEqual(intrusion(str(self.folder / "missing")), "")
        self.assertEqual(intrusion("\x00"), "")

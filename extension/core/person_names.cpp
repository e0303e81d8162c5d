#include "person_names.hpp"

#include <string_view>
#include <unordered_set>

namespace core {

namespace {

// Put down by hand from common knowledge, by regions of the world; not frequencies of any register. Words that are as often something else
// (may, will, rose, mark) are left out.
constexpr std::string_view first_names =
    // English, Irish, Scottish
    "james john robert michael william david richard joseph thomas charles christopher daniel matthew anthony donald steven paul andrew joshua "
    "kenneth kevin brian george edward ronald timothy jason jeffrey ryan jacob gary nicholas eric jonathan stephen larry justin scott brandon "
    "benjamin samuel gregory frank alexander raymond patrick jack dennis jerry tyler aaron jose adam nathan henry douglas zachary peter kyle "
    "walter ethan jeremy harold keith christian roger noah gerald carl terry sean arthur austin dylan jesse bryan lawrence liam lucas oliver logan "
    "mary patricia jennifer linda elizabeth barbara susan jessica sarah karen lisa nancy betty margaret sandra ashley kimberly emily donna "
    "michelle carol amanda dorothy melissa deborah stephanie rebecca sharon laura cynthia kathleen amy angela shirley anna brenda pamela emma "
    "nicole helen samantha katherine christine debra rachel carolyn janet catherine maria heather diane ruth julie olivia joyce virginia victoria "
    "kelly lauren christina joan evelyn judith megan andrea cheryl hannah jacqueline martha gloria teresa ann sara madison frances kathryn janice "
    "jean abigail alice julia judy sophia denise amber doris marilyn danielle beverly isabella theresa diana natalie charlotte marie kayla alexis "
    "aoife siobhan sinead niamh ciaran eoin padraig declan fiona moira hamish callum isla ewan rhys owen gareth nigel trevor simon graham colin "
    "neil stuart ian alan craig darren wayne shane brett zoe chloe lucy ella mia amelia jade georgia harriet imogen phoebe freya poppy edith "
    // German, Dutch, Nordic
    "hans peter wolfgang klaus jurgen juergen dieter manfred uwe bernd rainer horst heinz stefan andreas thomas markus matthias jens sven torsten "
    "thorsten karsten ralf frank holger jan tim lukas leon finn jonas felix maximilian moritz niklas fabian tobias sebastian florian dominik ursula "
    "renate helga monika ingrid gisela sabine petra brigitte birgit heike anja katrin kathrin silke susanne martina claudia kerstin stefanie "
    "katharina anke ulrike greta johanna lena lea leonie marlene mathilda antonia frieda wilhelm friedrich gunther gunter helmut werner gerhard "
    "pieter willem johannes cornelis hendrik dirk joost maarten jeroen sander bram daan sem thijs ruben femke sanne anouk marieke lotte saskia "
    "bjorn lars anders nils erik magnus olav knut leif mikael henrik jorgen soren mette astrid sigrid ingeborg kirsten birgitte karin eva kari "
    "solveig aino matti juha pekka antti mikko timo jukka helmi "
    // French, Italian, Spanish, Portuguese
    "pierre jacques michel philippe alain bernard rene marcel louis francois laurent nicolas julien mathieu antoine thierry pascal olivier "
    "stephane sebastien guillaume etienne hugo gabriel raphael theo clement camille lea manon chloe ines juliette margaux celine sophie isabelle "
    "nathalie sylvie valerie veronique monique francoise martine brigitte aurelie elodie amelie genevieve yves benoit "
    "giuseppe giovanni antonio mario luigi francesco angelo vincenzo pietro salvatore carlo franco domenico bruno paolo michele giorgio aldo "
    "sergio luciano alessandro andrea matteo lorenzo davide luca marco stefano giulia chiara francesca federica elisa alessia martina giorgia "
    "giovanna rosa lucia carmela paola daniela simona elena silvia valentina "
    "juan jose luis carlos jorge manuel francisco miguel angel pedro alejandro fernando rafael javier ramon sergio diego ricardo eduardo alberto "
    "roberto raul enrique pablo andres mateo santiago sebastian tomas ignacio joaquin guillermo gonzalo hector ernesto carmen ana isabel dolores "
    "pilar josefa teresa rosario antonia francisca cristina marta lucia sofia camila valentina ximena guadalupe esperanza consuelo beatriz ines "
    "joao mateus tiago rui nuno vasco duarte goncalo bruno paulo marcelo thiago felipe gustavo leonardo henrique vinicius caio rafaela mariana "
    "leticia fernanda juliana patricia adriana gabriela larissa raquel catarina joana margarida matilde "
    // Slavic, Greek, Hungarian, Romanian, Turkish
    "ivan dmitri dmitry sergei sergey alexei aleksei vladimir nikolai mikhail andrei boris viktor yuri oleg igor pavel anatoly konstantin olga "
    "natalia natasha tatiana svetlana irina ekaterina ludmila galina oksana yulia anastasia daria piotr pawel krzysztof andrzej tomasz marcin "
    "marek grzegorz michal jakub wojciech zbigniew malgorzata agnieszka katarzyna barbara ewa zofia magdalena joanna jan jiri petr vaclav "
    "zdenek jana hana lenka milan dragan zoran goran jelena milica nikola stjepan marija georgios dimitrios konstantinos yannis eleni maria "
    "ioannis katerina laszlo istvan jozsef zoltan ferenc katalin erzsebet ilona ion gheorghe vasile mihai elena ioana mehmet mustafa ahmet ali "
    "huseyin hasan ibrahim emre burak fatma ayse emine hatice zeynep elif murat "
    // Arabic, Persian, African
    "mohammed muhammad mohamed ahmed mahmoud omar khaled youssef yusuf hassan hussein abdullah abdul karim tariq samir walid fatima aisha khadija "
    "maryam zainab layla leila noor nour yasmin amina salma rania hala reza hossein mehdi amir farhad shirin nasrin kwame kofi kwabena akosua ama "
    "abena emeka chinedu chukwuemeka ngozi adaeze chioma ifeoma oluwaseun babatunde tunde femi segun yetunde folake sipho thabo themba mandla "
    "bongani sibusiso nkosinathi lerato naledi thandiwe nomvula zanele palesa ayanda busisiwe nokuthula lindiwe tendai tatenda rudo chipo kamau "
    "njoroge wanjiru akinyi otieno abebe tesfaye almaz bekele haile mamadou ousmane moussa amadou aminata fatou mariam johan pieter francois "
    // South and East Asian
    "raj rajesh suresh ramesh mahesh amit anil sunil vijay sanjay ashok arun manoj rahul rohit vikram arjun krishna ravi deepak priya anita "
    "sunita kavita pooja neha anjali lakshmi divya meera asha sita geeta rekha aarav vivaan aditya ananya diya ishaan wei fang lei jing ming hui "
    "li xin yan jun hong ying xiaoming jian qiang mei ling yuki hiroshi takashi kenji haruto yuto sakura hina yui aoi akira naoki satoshi keiko "
    "yoko michiko kazuko jiho minjun seojun jiwoo soyeon hyun jae sung young nguyen linh thanh hoa minh tuan huong thuy anh putu wayan made "
    "ketut siti nur dewi agus budi ahmad rizal maria jose juan rosa grace angelica somchai siriporn ";

constexpr std::string_view last_names =
    "smith johnson williams brown jones garcia miller davis rodriguez martinez hernandez lopez gonzalez wilson anderson thomas taylor moore "
    "jackson martin lee perez thompson white harris sanchez clark ramirez lewis robinson walker young allen king wright scott torres nguyen hill "
    "flores green adams nelson baker hall rivera campbell mitchell carter roberts gomez phillips evans turner diaz parker cruz edwards collins "
    "reyes stewart morris morales murphy cook rogers gutierrez ortiz morgan cooper peterson bailey reed kelly howard ramos kim cox ward "
    "richardson watson brooks chavez wood james bennett gray mendoza ruiz hughes price alvarez castillo sanders patel myers long ross foster "
    "jimenez powell jenkins perry russell sullivan bell coleman butler henderson barnes gonzales fisher vasquez simmons romero jordan patterson "
    "alexander hamilton graham reynolds griffin wallace moreno west cole hayes bryant herrera gibson ellis tran medina aguilar stevens murray "
    "ford castro marshall owens harrison fernandez mcdonald macdonald woods washington kennedy wells vargas henry chen freeman webb tucker guzman "
    "burns crawford olson simpson porter hunter gordon mendez silva shaw snyder mason dixon munoz hunt hicks holmes palmer wagner black "
    "robertson boyd stone salazar fox warren mills meyer rice schmidt garza daniels ferguson nichols stephens soto weaver ryan gardner payne grant "
    "dunn kelley spencer hawkins arnold pierce obrien oconnor oneill whitfield carmichael hollingsworth mcgregor mckenzie campbell "
    // German, Dutch, Nordic, Afrikaans
    "muller mueller schmidt schneider fischer weber meyer wagner becker schulz hoffmann schafer koch bauer richter klein wolf schroder neumann "
    "schwarz zimmermann braun kruger hofmann hartmann lange schmitt werner krause meier lehmann schmid schulze maier kohler herrmann konig "
    "walter mayer huber kaiser fuchs peters lang scholz moller weiss jung hahn schubert vogel friedrich keller gunther frank berger winkler roth "
    "beck lorenz baumann franke albrecht schuster simon ludwig bohm winter kraus martin schumacher kramer vogt stein jager otto sommer gross "
    "seidel heinrich brandt haas schreiber graf schulte dietrich ziegler kuhn kuhnert pohl engel horn busch bergmann "
    "jansen janssen vries dejong bakker visser smit meijer mulder bos vos peeters hendriks dekker brouwer dijkstra kok jacobs vermeulen bruin "
    "merwe vandermerwe botha pretorius venter coetzee vanderberg nel steyn fourie kruger dutoit swanepoel viljoen joubert erasmus "
    "andersson johansson karlsson nilsson eriksson larsson olsson persson svensson gustafsson hansen johansen olsen larsen andersen pedersen "
    "nilsen kristiansen jensen nielsen christensen rasmussen sorensen jorgensen madsen lindstrom lindberg lindqvist berg lund dahl haugen "
    "korhonen virtanen makinen nieminen "
    // French, Italian, Spanish, Portuguese
    "dubois durand leroy moreau laurent lefebvre michel bertrand roux vincent fournier morel girard andre lefevre mercier dupont lambert bonnet "
    "francois legrand garnier faure rousseau blanc guerin boyer chevalier gauthier robin masson perrin clement morin dumont fontaine lemaire "
    "rossi russo ferrari esposito bianchi romano colombo ricci marino greco bruno gallo conti deluca mancini costa giordano rizzo lombardi "
    "moretti barbieri fontana santoro mariani rinaldi caruso ferrara galli martini leone "
    "sanchez perez martin gomez ruiz alonso gutierrez navarro dominguez vazquez ramos gil ramirez serrano blanco molina suarez ortega delgado "
    "castro ortiz rubio marin sanz nunez iglesias medina garrido santos castillo cortes lozano guerrero cano prieto mendez calvo vidal leon "
    "marquez villanueva herrera campos vega fuentes cabrera rojas acosta "
    "ferreira pereira oliveira costa rodrigues martins jesus sousa souza fernandes goncalves gomes lopes marques alves almeida ribeiro pinto "
    "carvalho teixeira moreira correia mendes nunes soares vieira monteiro cardoso rocha neves coelho cruz cunha pires barbosa araujo melo "
    "barros freitas lima dias "
    // Slavic, Greek, Turkish, Arabic
    "ivanov petrov sidorov smirnov kuznetsov popov vasiliev sokolov mikhailov novikov fedorov morozov volkov ivanova petrova smirnova novak "
    "svoboda novotny dvorak cerny prochazka kucera horvat kovac kovacevic jovanovic petrovic nikolic markovic nowak kowalski kowalska wisniewski "
    "wojcik kowalczyk kaminski lewandowski zielinski szymanski wozniak nagy kovacs toth szabo horvath popa popescu ionescu papadopoulos yilmaz "
    "kaya demir sahin celik ahmed ali hassan hussein mohamed mohammed khan abdullah rahman ibrahim omar saleh haddad mansour khalil nasser "
    "hosseini ahmadi rezaei karimi shah "
    // African
    "nkosi dlamini ndlovu khumalo mkhize zulu sithole naidoo pillay govender moyo ncube mokoena molefe zwane mthembu cele buthelezi ngcobo zungu "
    "okafor okonkwo adeyemi adebayo oyelaran balogun okeke eze nwosu chukwu obi mensah owusu boateng asante osei appiah agyemang kamau mwangi "
    "otieno odhiambo wanjiku kariuki njoroge diallo traore keita camara coulibaly toure ndiaye diop fall sow tesfaye bekele haile "
    // South and East Asian
    "singh kumar sharma gupta verma patel shah mehta desai joshi agarwal reddy rao nair iyer menon pillai das ghosh mukherjee banerjee chatterjee "
    "bose roy sen chowdhury khan malik hussain butt chaudhry dsouza fernandes dcosta perera silva fernando jayawardena wang li zhang liu chen "
    "yang huang zhao wu zhou xu sun ma zhu hu guo lin luo liang song zheng xie han tang feng yu dong xiao cheng cao yuan deng lam wong chan "
    "cheung leung chow tanaka sato suzuki takahashi watanabe ito yamamoto nakamura kobayashi kato yoshida yamada sasaki ishikawa matsumoto "
    "inoue kimura hayashi shimizu saito mori abe park choi jung kang cho yoon jang lim han shin seo kwon hwang tran le pham hoang phan vu vo dang "
    "bui do ho ngo duong ly santos reyes cruz bautista delacruz garcia mendoza wijaya santoso susanto hidayat saputra smithjones ";

std::unordered_set<std::string_view> words(std::string_view text)
{
	std::unordered_set<std::string_view> out;
	for (std::size_t at = 0; at < text.size();) {
		const auto end = text.find(' ', at);
		if (end > at) out.insert(text.substr(at, end - at));
		at = end == text.npos ? text.size() : end + 1;
	}
	return out;
}

// U+00C0 to U+017F, two letters where one is written as two.
constexpr const char *latin[] = {"a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i", "i", "d", "n", "o",
    "o", "o", "o", "o", "", "o", "u", "u", "u", "u", "y", "th", "ss", "a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e",
    "i", "i", "i", "i", "d", "n", "o", "o", "o", "o", "o", "", "o", "u", "u", "u", "u", "y", "th", "y"};
constexpr std::string_view latin_extended = "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiijjjjkkkllllllllllnnnnnnnnnoooooooo"
                                            "rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
static_assert(sizeof latin / sizeof *latin == 64 && latin_extended.size() == 128);

char vietnamese(unsigned code)    // U+1EA0 to U+1EF9
{
	return code < 0x1eb8 ? 'a' : code < 0x1ec8 ? 'e' : code < 0x1ecc ? 'i' : code < 0x1ee4 ? 'o' : code < 0x1ef2 ? 'u' : 'y';
}

}  // namespace

std::string plain_letters(std::string_view text)
{
	std::string out;
	out.reserve(text.size());
	for (std::size_t i = 0; i < text.size(); ++i) {
		const auto byte = static_cast<unsigned char>(text[i]);
		const auto follows = [&](std::size_t n) { return i + n < text.size() ? static_cast<unsigned>(text[i + n] & 0x3f) : 0U; };
		if (byte < 0x80) {
			out += static_cast<char>(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte);
			continue;
		}
		if (byte >= 0xc3 && byte <= 0xc5 && i + 1 < text.size()) {
			const unsigned code = (byte & 0x1fU) << 6 | follows(1);
			out += code < 0x100 ? std::string(latin[code - 0xc0]) : std::string(1, latin_extended[code - 0x100]);
			++i;
		} else if (byte == 0xe1 && i + 2 < text.size() && follows(1) >= 0x3a && follows(1) <= 0x3b) {
			const unsigned code = 0x1000U | follows(1) << 6 | follows(2);
			if (code >= 0x1ea0 && code <= 0x1ef9) out += vietnamese(code);
			i += 2;
		} else {
			out += text[i];
		}
	}
	return out;
}

bool is_first_name(std::string_view plain)
{
	static const auto known = words(first_names);
	return known.contains(plain);
}

bool is_last_name(std::string_view plain)
{
	static const auto known = words(last_names);
	return known.contains(plain);
}

}  // namespace core
